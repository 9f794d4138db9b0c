// Replays a design's inputs from a file into a Verilated model, RTL or gates.
// Usage: program STIMULUS BEGIN [WAVEFORM]: the waveform begins with record BEGIN.
// A record is a time and one word for each input, as bench/gates.py writes it. Inputs that change
// with the rising edge change after it, as those that a register drives do.

#include "Vdut.h"
#include "inputs.h"  // kInputs, kClock, apply(model, words)
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
using Waveform = VerilatedFstC;
#elif VM_TRACE_SAIF
#include "verilated_saif_c.h"
using Waveform = VerilatedSaifC;
#elif VM_TRACE_VCD
#include "verilated_vcd_c.h"
using Waveform = VerilatedVcdC;
#endif

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

int main(int argc, char** argv) {
  std::ifstream file(argv[1], std::ios::binary | std::ios::ate);
  std::vector<uint64_t> words(size_t(file.tellg()) / sizeof(uint64_t));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(words.data()), words.size() * sizeof(uint64_t));
  const size_t records = words.size() / (kInputs + 1), begin = std::strtoull(argv[2], nullptr, 10);

  VerilatedContext context;
  context.traceEverOn(true);
  Vdut model(&context, "");
#if VM_TRACE
  Waveform waveform;
  model.trace(&waveform, 99);
#endif
  std::vector<uint64_t> inputs(kInputs);
  const auto start = std::chrono::steady_clock::now();
  for (size_t k = 0; k < records; ++k) {
    const uint64_t* record = &words[k * (kInputs + 1)];
    const bool rises = record[1 + kClock] && !inputs[kClock];
    inputs[kClock] = record[1 + kClock];
    if (rises) {
      apply(model, inputs.data());
      model.eval();
    }
    if (!rises || !std::equal(inputs.begin(), inputs.end(), record + 1)) {
      inputs.assign(record + 1, record + 1 + kInputs);
      apply(model, inputs.data());
      model.eval();
    }
#if VM_TRACE
    if (k == begin) waveform.open(argv[3]);
    if (k >= begin) waveform.dump(record[0]);
#endif
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
#if VM_TRACE
  waveform.close();
#endif
  std::printf("%zu %.9f\n", records, seconds.count());
  return argc < 3;
}
