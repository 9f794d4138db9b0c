// Drives a Verilated neuromorphic core in batches: events and commands in, spikes and membranes
// out, no Python in between. Compiled together with the model; `spikewatt.cosim.native` calls it.

#include "Vneuro.h"
#include "driver.h"

#include <algorithm>
#include <vector>

extern "C" {

struct Geometry {
  uint32_t groups, lanes, state_bits, half_period;
  uint32_t tick, clear;  // numbers of the commands
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

class Core : public Driver<Vneuro, Core> {
 public:
  Core(const Geometry& geometry, const char* waveform, int64_t room)
      : Driver(geometry.half_period, waveform, room), geo_(geometry) {
    membranes_.resize(size_t(geo_.groups) * geo_.lanes);
    reset();
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

  // The events of a tick are sent while the core works on the one before: they belong to it.
  bool run(int64_t ticks, const int64_t* offsets, const uint32_t* events, Record& record) {
    const size_t neurons = membranes_.size();
    record_ = &record;
    merges_ = &record.merges[0];
    tick_ = 0;
    uint64_t before = cycles;
    bool ok = ticks == 0 || feed(events + offsets[0], events + offsets[1]);
    for (; ok && tick_ < ticks; ++tick_) {
      ok = command(geo_.tick);
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
    return command(geo_.clear) && until_idle();
  }

  void observe() {
    if (merges_) *merges_ += model_->probe___05Fmerge;
    if (!spikes_) return;
    record_->words[tick_] += model_->probe___05Fsynapse;
    if (model_->probe___05Fupdate) update();
    if (model_->o___05Fvalid) packet();
  }

 private:
  void packet() {
    const int64_t at = record_->sent++;  // counted even where there is no room left
    if (at >= record_->capacity) return;
    record_->packets[at] = take(model_->o___05Fpayload, 0, 64);
    record_->packet_tick[at] = tick_;
  }

  void update() {
    ++record_->updates[tick_];
    const size_t first = size_t(model_->probe___05Fgroup) * geo_.lanes;
    if (first >= membranes_.size()) return;  // a damaged netlist names a group that is not there
    for (unsigned lane = 0; lane < geo_.lanes; ++lane) {
      spikes_[first + lane] = take(model_->probe___05Fspikes, lane, 1);
      membranes_[first + lane] = int32_t(sign_extend(
          take(model_->probe___05Fstate, lane * geo_.state_bits, geo_.state_bits),
          geo_.state_bits));
    }
  }

  Geometry geo_;
  std::vector<int32_t> membranes_;
  Record* record_ = nullptr;
  uint8_t* spikes_ = nullptr;
  int64_t* merges_ = nullptr;
  int64_t tick_ = 0;
};

// Every call returns 0, or 1 when the core is stuck.
extern "C" {

Core* core_new(const Geometry* geometry, const char* waveform, int64_t room) {
  return new Core(*geometry, waveform, room);
}

void core_end(Core* core, Held* held) { *held = core->end(); }

void core_free(Core* core) { delete core; }

uint64_t core_cycles(const Core* core) { return core->cycles; }

int core_wait(Core* core) { return !core->until_idle(); }

int core_clear(Core* core) { return !core->clear(); }

int core_configure(Core* core, const uint32_t* address, const uint32_t* data, int64_t count) {
  return !core->configure(address, data, count);
}

int core_read(Core* core, const uint32_t* address, uint32_t* data, int64_t count) {
  return !core->read(address, data, count);
}

int core_run(Core* core, int64_t ticks, const int64_t* offsets, const uint32_t* events,
             Record* record) {
  return !core->run(ticks, offsets, events, *record);
}
}
