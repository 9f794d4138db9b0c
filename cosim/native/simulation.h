// What the batched runners share: a Verilated design, its clock, its time, its waveform. `Self`
// derives from it and watches every cycle in `observe()`.
#pragma once

#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
using Waveform = VerilatedFstC;
#elif VM_TRACE
#include "verilated_vcd_c.h"
using Waveform = VerilatedVcdC;
#endif

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

constexpr uint64_t kPatience = 1u << 24;  // cycles after which an operation counts as stuck

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

extern "C" {

// What a waveform left: its bytes if they are in memory, and the error that cut it off, or 0.
struct Held {
  char* bytes;
  int64_t count;
  int32_t error;
};

void core_release(void* bytes) { std::free(bytes); }
}

#if VM_TRACE && !VM_TRACE_FST
// Where a VCD goes: to memory, as long as it is not longer than `room`; else to its file.
//
// Verilator's own class answers a failed write by ending the process, and on the way out flushes
// the trace, whose lock it still holds: on a full disk it waits for itself for ever. This one keeps
// the error for the caller, and takes the rest without keeping it.
class Store : public VerilatedVcdFile {
 public:
  ~Store() override { std::free(bytes_); }

  void limit(int64_t room) { room_ = room; }

  bool open(const std::string& name) override {
    name_ = name;
    if (!room_) begin_file();
    return true;
  }

  void close() override {
    if (in_file_) VerilatedVcdFile::close();
    in_file_ = false;
  }

  ssize_t write(const char* bytes, ssize_t count) override {
    if (in_file_) return to_file(bytes, count);
    if (error_) return count;
    if (count_ + count > room_ || !grow(count_ + count)) {
      spill();
      return write(bytes, count);
    }
    std::memcpy(bytes_ + count_, bytes, count);
    count_ += count;
    return count;
  }

  // Hand over what is in memory, and forget it.
  Held take() { return {std::exchange(bytes_, nullptr), std::exchange(count_, 0), error_}; }

 private:
  void begin_file() {
    in_file_ = VerilatedVcdFile::open(name_);
    if (!in_file_) error_ = errno;
  }

  ssize_t to_file(const char* bytes, ssize_t count) {
    const ssize_t written = VerilatedVcdFile::write(bytes, count);
    if (written >= 0 || errno == EAGAIN || errno == EINTR) return written;  // it tries again
    error_ = errno;
    close();
    return count;
  }

  // From here on the file has it all.
  void spill() {
    begin_file();
    for (int64_t done = 0; in_file_ && done < count_;) {
      const ssize_t written = to_file(bytes_ + done, count_ - done);
      if (written > 0) done += written;
    }
    std::free(std::exchange(bytes_, nullptr));
    count_ = room_ = 0;
  }

  // Doubling costs no copies to speak of: large blocks are moved by their pages.
  bool grow(int64_t wanted) {
    if (wanted <= size_) return true;
    const int64_t size = std::max(wanted, 2 * size_);
    char* const bytes = static_cast<char*>(std::realloc(bytes_, size));
    if (!bytes) return false;  // the file takes what memory can't
    bytes_ = bytes;
    size_ = size;
    return true;
  }

  std::string name_;
  int64_t room_ = 0, count_ = 0, size_ = 0;
  char* bytes_ = nullptr;
  bool in_file_ = false;
  int32_t error_ = 0;
};
#endif

template <class Model, class Self> class Simulation {
 public:
  uint64_t cycles = 0;

  // End the waveform; it is whole then, where the caller wanted it.
  Held end() {
#if VM_TRACE
    if (waveform_ && waveform_->isOpen()) waveform_->close();
#endif
#if VM_TRACE && !VM_TRACE_FST
    return store_.take();
#else
    return {};
#endif
  }

 protected:
  explicit Simulation(uint32_t half_period) : half_period_(half_period) {
    context_.randReset(2);  // memories power up with noise: nothing may rely on them
    context_.randSeed(20409);
    context_.traceEverOn(true);
  }

  ~Simulation() {
    model_->final();
#if VM_TRACE
    if (waveform_ && waveform_->isOpen()) waveform_->close();
#endif
  }

  void build() {
    model_ = std::make_unique<Model>(&context_, "");
    model_->rst = 1;
    model_->clk = 0;
  }

  // Once the inputs are set.
  void begin(const char* waveform, int64_t room) {
#if VM_TRACE_FST
    waveform_ = std::make_unique<Waveform>();
#elif VM_TRACE
    waveform_ = std::make_unique<Waveform>(&store_);
#endif
#if VM_TRACE
    model_->trace(waveform_.get(), 99);
#endif
    if (waveform && *waveform) open(waveform, room);
    model_->eval();
    dump(0);
  }

  // Begin the waveform; it takes the values of all signals at the next change of any. Up to `room`
  // bytes of a VCD stay in memory.
  void open(const char* path, int64_t room) {
#if VM_TRACE && !VM_TRACE_FST
    store_.limit(room);
#endif
#if VM_TRACE
    waveform_->open(path);
#endif
    (void)path, (void)room;
  }

  // Once `observe` may be called.
  void reset() {
    for (int k = 0; k < 4; ++k) cycle();
    model_->rst = 0;
    settle_ = true;
    cycle();  // inputs change once a cycle at most: a second change would have no time of its own
  }

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
    show(edge_ + 1);
    settle_ = false;
  }

  // From just after one rising edge to just after the next.
  void cycle() {
    settle();
    static_cast<Self*>(this)->observe();
    for (int level = 0; level < 2; ++level) {
      edge_ += half_period_;
      const uint64_t at = pass(edge_);
      model_->clk = level;
      show(at);
    }
    ++cycles;
  }

  VerilatedContext context_;  // outlives the model
  std::unique_ptr<Model> model_;
  bool settle_ = false;

 private:
  // Let happen what the design does by itself until `time`; returns the first time from then on at
  // which it does nothing. So no input, and no clock above all, changes at the same time as a
  // delayed signal: which one a flip-flop sees first would be the simulator's choice.
  uint64_t pass(uint64_t time) {
    if constexpr (Self::kDelays) {
      while (model_->eventsPending() && model_->nextTimeSlot() <= time) {
        const uint64_t slot = model_->nextTimeSlot();
        if (slot == time) ++time;
        step(slot);
      }
    }
    return time;
  }

  void show(uint64_t time) { step(pass(time)); }

  void step(uint64_t time) {
    if constexpr (Self::kDelays) context_.time(time);
    model_->eval();
    dump(time);
  }

  void dump(uint64_t time) {
#if VM_TRACE
    if (waveform_->isOpen()) waveform_->dump(time);
#endif
    (void)time;
  }

  uint32_t half_period_;
#if VM_TRACE && !VM_TRACE_FST
  Store store_;  // outlives the waveform
#endif
#if VM_TRACE
  std::unique_ptr<Waveform> waveform_;
#endif
  uint64_t edge_ = 0;  // when the clock last changed, but for such a delay
};
