// What the batched runners share: a Verilated core with a configuration port and a command stream,
// its clock, its waveform. `Self` derives from it and watches every cycle in `observe()`.
#pragma once

#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
using Waveform = VerilatedFstC;
#elif VM_TRACE
#include "verilated_vcd_c.h"
using Waveform = VerilatedVcdC;
#endif

#include <cstdint>
#include <memory>
#include <type_traits>

constexpr int kConfigAddress = 32, kWrite = 60;  // bit positions in the configuration payload
constexpr uint64_t kPatience = 1u << 24;         // cycles after which an operation counts as stuck

// Bits [at, at + bits) of a port, whether Verilator made it an integer or an array of words.
template <class Port> uint64_t take(const Port& port, unsigned at, unsigned bits) {
  const uint64_t mask = bits >= 64 ? ~0ull : (1ull << bits) - 1;
  if constexpr (std::is_integral_v<Port>) {
    return (uint64_t(port) >> at) & mask;
  } else {
    uint64_t value = uint64_t(port[at / 32]) >> (at % 32);
    for (unsigned got = 32 - at % 32, k = at / 32 + 1; got < bits; got += 32, ++k)
      value |= uint64_t(port[k]) << got;
    return value & mask;
  }
}

// Sets a port from words of 32 bits, lowest first.
template <class Port> void put(Port& port, const uint32_t* words) {
  if constexpr (std::is_integral_v<Port>) {
    uint64_t value = words[0];
    if constexpr (sizeof(Port) > 4) value |= uint64_t(words[1]) << 32;
    port = Port(value);
  } else {
    for (unsigned k = 0; k < sizeof(port) / 4; ++k) port[k] = words[k];
  }
}

inline int64_t sign_extend(uint64_t value, unsigned bits) {
  const uint64_t sign = 1ull << (bits - 1);
  return int64_t((value ^ sign) - sign);
}

template <class Model, class Self> class Driver {
 public:
  Driver(uint32_t half_period, const char* waveform) : half_period_(half_period) {
    context_.randReset(2);  // memories power up with noise: nothing may rely on them
    context_.randSeed(20409);
    context_.traceEverOn(true);
    model_ = std::make_unique<Model>(&context_, "");
    model_->rst = 1;
    model_->clk = 0;
    model_->i___05Fvalid = 0;
    model_->command___05Fvalid = 0;
    model_->config___05Fvalid = 0;
    model_->response___05Fready = 0;
    model_->o___05Fready = 1;
#if VM_TRACE
    if (waveform && *waveform) {
      waveform_ = std::make_unique<Waveform>();
      model_->trace(waveform_.get(), 99);
      waveform_->open(waveform);
    }
#endif
    model_->eval();
    dump(0);
  }

  ~Driver() {
    model_->final();
#if VM_TRACE
    if (waveform_) waveform_->close();
#endif
  }

  // Once `observe` may be called.
  void reset() {
    for (int k = 0; k < 4; ++k) cycle();
    model_->rst = 0;
    settle_ = true;
    cycle();  // inputs change once a cycle at most: a second change would have no time of its own
  }

  bool until_idle() {
    const uint64_t limit = cycles + kPatience;
    for (settle(); !model_->idle; cycle())
      if (cycles > limit) return false;
    return true;
  }

  bool command(int what) {
    model_->command___05Fpayload = what;
    model_->command___05Fvalid = 1;
    settle_ = true;
    const bool ok = until([this] { return bool(model_->command___05Fready); });
    model_->command___05Fvalid = 0;
    settle_ = true;
    return ok;
  }

  bool configure(uint32_t address, uint32_t data) {
    model_->config___05Fpayload =
        data | uint64_t(address) << kConfigAddress | 1ull << kWrite;
    model_->config___05Fvalid = 1;
    settle_ = true;
    const bool ok = until([this] { return bool(model_->config___05Fready); });
    model_->config___05Fvalid = 0;
    settle_ = true;
    return ok;
  }

  bool configure(const uint32_t* address, const uint32_t* data, int64_t count) {
    bool ok = true;
    for (int64_t k = 0; ok && k < count; ++k) ok = configure(address[k], data[k]);
    return ok;
  }

  bool read(uint32_t address, uint32_t& data) {
    model_->config___05Fpayload = uint64_t(address) << kConfigAddress;
    model_->config___05Fvalid = 1;
    model_->response___05Fready = 1;
    settle_ = true;
    const bool ok = until([&] {
      data = model_->response___05Fpayload;
      return bool(model_->response___05Fvalid);
    });
    model_->config___05Fvalid = 0;
    settle_ = true;
    return ok;
  }

  bool read(const uint32_t* address, uint32_t* data, int64_t count) {
    bool ok = true;
    for (int64_t k = 0; ok && k < count; ++k) ok = read(address[k], data[k]);
    return ok;
  }

  uint64_t cycles = 0;

 protected:
  template <class Done> bool until(Done done) {
    const uint64_t limit = cycles + kPatience;
    for (bool taken = false; !taken;) {
      if (cycles > limit) return false;
      settle();
      taken = done();
      cycle();
    }
    return true;
  }

  // Inputs change a little after the rising edge, as from flip-flops of the same clock.
  void settle() {
    if (!settle_) return;
    model_->eval();
    dump(time_ + 1);
    settle_ = false;
  }

  // From just after one rising edge to just after the next.
  void cycle() {
    settle();
    static_cast<Self*>(this)->observe();
    time_ += half_period_;
    model_->clk = 0;
    model_->eval();
    dump(time_);
    time_ += half_period_;
    model_->clk = 1;
    model_->eval();
    dump(time_);
    ++cycles;
  }

  VerilatedContext context_;  // outlives the model
  std::unique_ptr<Model> model_;
  bool settle_ = false;

 private:
  void dump(uint64_t time) {
#if VM_TRACE
    if (waveform_) waveform_->dump(time);
#endif
    (void)time;
  }

  uint32_t half_period_;
#if VM_TRACE
  std::unique_ptr<Waveform> waveform_;
#endif
  uint64_t time_ = 0;
};
