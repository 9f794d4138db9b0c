// The least that can drive a Verilated core: inputs cycle by cycle from a file, nothing read back.
// Its speed is the yardstick of the batched runner. Usage: program STIMULUS [WAVEFORM]

#include "Vneuro.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
using Waveform = VerilatedFstC;
#elif VM_TRACE
#include "verilated_vcd_c.h"
using Waveform = VerilatedVcdC;
#endif

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <vector>

struct Cycle {  // as bench/rtl.py writes it
  uint64_t config;
  uint32_t event;
  uint8_t rst, event_valid, command, command_valid, config_valid, packet_ready, answer_ready, pad[5];
};

int main(int argc, char** argv) {
  std::ifstream file(argv[1], std::ios::binary | std::ios::ate);
  std::vector<Cycle> cycles(size_t(file.tellg()) / sizeof(Cycle));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(cycles.data()), cycles.size() * sizeof(Cycle));

  VerilatedContext context;
  context.traceEverOn(true);
  Vneuro model(&context, "");
#if VM_TRACE
  Waveform waveform;
  model.trace(&waveform, 99);
  waveform.open(argv[2]);
#endif
  uint64_t time = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (const Cycle& c : cycles) {
    model.rst = c.rst;
    model.i___05Fvalid = c.event_valid;
    model.i___05Fpayload = c.event;
    model.command___05Fvalid = c.command_valid;
    model.command___05Fpayload = c.command;
    model.config___05Fvalid = c.config_valid;
    model.config___05Fpayload = c.config;
    model.o___05Fready = c.packet_ready;
    model.response___05Fready = c.answer_ready;
    for (int clk = 0; clk < 2; ++clk) {
      model.clk = clk;
      model.eval();
      time += 5;
#if VM_TRACE
      waveform.dump(time);
#endif
    }
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
#if VM_TRACE
  waveform.close();
#endif
  std::printf("%zu %.9f %d\n", cycles.size(), seconds.count(), int(model.idle));
  return argc < 2;
}
