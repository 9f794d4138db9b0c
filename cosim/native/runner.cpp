// Drives a Verilated neuromorphic core in batches: events and commands in, spikes and membranes
// out, no Python in between. Compiled together with the model; `spikewatt.cosim.native` calls it.

#include "Vneuro.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
using Waveform = VerilatedFstC;
#elif VM_TRACE
#include "verilated_vcd_c.h"
using Waveform = VerilatedVcdC;
#endif

#include <algorithm>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

namespace {

constexpr int kTick = 0, kClear = 1;           // Command
constexpr int kConfigAddress = 32, kWrite = 60;  // bit positions in the configuration payload
constexpr uint64_t kPatience = 1u << 24;       // cycles after which an operation counts as stuck

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

int32_t sign_extend(uint64_t value, unsigned bits) {
  const uint64_t sign = 1ull << (bits - 1);
  return int32_t(int64_t((value ^ sign) - sign));
}

}  // namespace

extern "C" {

struct Geometry {
  uint32_t groups, lanes, state_bits, half_period;
};

// One entry for each tick; `merges` has one more: t = -1, 0, 1, ...
struct Record {
  uint8_t* spikes;      // [ticks][neurons]
  int32_t* membranes;   // [ticks][neurons]
  int64_t* merges;      // [ticks + 1]
  int64_t* words;       // [ticks] synapse words read
  int64_t* updates;     // [ticks] group updates
  int64_t* cycles;      // [ticks] from one tick's end to the next; the first with its events
  uint64_t* packets;    // [capacity] payloads sent to other cores
  int64_t* packet_tick; // [capacity]
  int64_t capacity, sent;
};
}

class Core {
 public:
  Core(const Geometry& geometry, const char* waveform) : geo_(geometry) {
    context_.randReset(2);  // memories power up with noise: nothing may rely on them
    context_.randSeed(20409);
    context_.traceEverOn(true);
    model_ = std::make_unique<Vneuro>(&context_, "");
    membranes_.resize(size_t(geo_.groups) * geo_.lanes);
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
    for (int k = 0; k < 4; ++k) cycle();
    model_->rst = 0;
    settle_ = true;
  }

  ~Core() {
    model_->final();
#if VM_TRACE
    if (waveform_) waveform_->close();
#endif
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

  bool feed(const uint32_t* event, const uint32_t* end) {
    bool ok = true;
    for (; ok && event != end; ++event) {
      model_->i___05Fpayload = *event;
      model_->i___05Fvalid = 1;
      settle_ = true;
      ok = until([this] { return bool(model_->i___05Fready); });
    }
    model_->i___05Fvalid = 0;
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

  // The events of a tick are sent while the core works on the one before: they belong to it.
  bool run(int64_t ticks, const int64_t* offsets, const uint32_t* events, Record& record) {
    const size_t neurons = membranes_.size();
    record_ = &record;
    merges_ = &record.merges[0];
    tick_ = 0;
    uint64_t before = cycles;
    bool ok = ticks == 0 || feed(events + offsets[0], events + offsets[1]);
    for (; ok && tick_ < ticks; ++tick_) {
      ok = command(kTick);
      merges_ = &record.merges[tick_ + 1];
      spikes_ = record.spikes + tick_ * neurons;
      if (tick_ + 1 < ticks)
        ok = ok && feed(events + offsets[tick_ + 1], events + offsets[tick_ + 2]);
      ok = ok && until_idle();
      spikes_ = nullptr;
      std::copy(membranes_.begin(), membranes_.end(), record.membranes + tick_ * neurons);
      record.cycles[tick_] = int64_t(cycles - before);
      before = cycles;
    }
    merges_ = nullptr;
    record_ = nullptr;
    return ok;
  }

  bool clear() {
    std::fill(membranes_.begin(), membranes_.end(), 0);
    return command(kClear) && until_idle();
  }

  uint64_t cycles = 0;

 private:
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
    observe();
    time_ += geo_.half_period;
    model_->clk = 0;
    model_->eval();
    dump(time_);
    time_ += geo_.half_period;
    model_->clk = 1;
    model_->eval();
    dump(time_);
    ++cycles;
  }

  void observe() {
    if (merges_) *merges_ += model_->probe___05Fmerge;
    if (!spikes_) return;
    record_->words[tick_] += model_->probe___05Fsynapse;
    if (model_->probe___05Fupdate) update();
    if (model_->o___05Fvalid) packet();
  }

  void packet() {
    const int64_t at = record_->sent++;  // counted even where there is no room left
    if (at >= record_->capacity) return;
    record_->packets[at] = take(model_->o___05Fpayload, 0, 64);
    record_->packet_tick[at] = tick_;
  }

  void update() {
    ++record_->updates[tick_];
    const size_t first = size_t(model_->probe___05Fgroup) * geo_.lanes;
    for (unsigned lane = 0; lane < geo_.lanes; ++lane) {
      spikes_[first + lane] = take(model_->probe___05Fspikes, lane, 1);
      membranes_[first + lane] = sign_extend(
          take(model_->probe___05Fstate, lane * geo_.state_bits, geo_.state_bits),
          geo_.state_bits);
    }
  }

  void dump(uint64_t time) {
#if VM_TRACE
    if (waveform_) waveform_->dump(time);
#endif
    (void)time;
  }

  Geometry geo_;
  VerilatedContext context_;
  std::unique_ptr<Vneuro> model_;
#if VM_TRACE
  std::unique_ptr<Waveform> waveform_;
#endif
  std::vector<int32_t> membranes_;
  Record* record_ = nullptr;
  uint8_t* spikes_ = nullptr;
  int64_t* merges_ = nullptr;
  int64_t tick_ = 0;
  uint64_t time_ = 0;
  bool settle_ = false;
};

// Every call returns 0, or 1 when the core is stuck.
extern "C" {

Core* core_new(const Geometry* geometry, const char* waveform) {
  return new Core(*geometry, waveform);
}

void core_free(Core* core) { delete core; }

uint64_t core_cycles(const Core* core) { return core->cycles; }

int core_wait(Core* core) { return !core->until_idle(); }

int core_clear(Core* core) { return !core->clear(); }

int core_configure(Core* core, const uint32_t* address, const uint32_t* data, int64_t count) {
  bool ok = true;
  for (int64_t k = 0; ok && k < count; ++k) ok = core->configure(address[k], data[k]);
  return !ok;
}

int core_read(Core* core, const uint32_t* address, uint32_t* data, int64_t count) {
  bool ok = true;
  for (int64_t k = 0; ok && k < count; ++k) ok = core->read(address[k], data[k]);
  return !ok;
}

int core_run(Core* core, int64_t ticks, const int64_t* offsets, const uint32_t* events,
             Record* record) {
  return !core->run(ticks, offsets, events, *record);
}
}
