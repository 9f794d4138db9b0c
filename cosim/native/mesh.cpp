// Drives a Verilated mesh through its packet port: packets in, packets out, no Python in between.
// Compiled together with the model; `spikewatt.cosim.mesh` calls it.

#include "Vmesh.h"
#include "simulation.h"

#include <algorithm>
#include <string>
#include <vector>

constexpr int kControl = 3;                       // ToTile
constexpr int kDone = 1, kStuck = 2;              // ToHost
constexpr int kTick = 0, kClear = 1, kSync = 2;   // Control
enum Status { kFine = 0, kNoEnd = 1, kMeshStuck = 2 };

extern "C" {

// Places of the fields of a tile's probe, in bits, and sizes of a packet.
struct Geometry {
  uint32_t tiles, groups, lanes, state_bits, half_period, delay_seed;
  uint32_t stride, update, group, group_bits, state, spikes, merge, synapse, sent, packet;
  uint32_t packet_bits, kind;
};

// One entry for each tick; `merges` and `adding` have one more: t = -1, 0, 1, ...
struct Record {
  uint8_t* spikes;       // [tiles][ticks][neurons]
  int32_t* membranes;    // [tiles][ticks][neurons]
  int64_t* merges;       // [tiles][ticks + 1]
  int64_t* words;        // [tiles][ticks] synapse words read
  int64_t* updates;      // [tiles][ticks] group updates
  int64_t* cycles;       // [ticks] from one tick's begin to the next
  int64_t* adding;       // [ticks + 1] cycles in which the barrier adds up
  uint64_t* packets;     // [capacity] sent by tiles
  int64_t* packet_tick;  // [capacity]
  int64_t* packet_tile;  // [capacity]
  int64_t ticks, capacity, sent;
};
}

class Core : public Simulation<Vmesh, Core> {
 public:
  static constexpr bool kDelays = true;

  explicit Core(const Geometry& geometry)
      : Simulation(geometry.half_period), geo_(geometry) {
    const std::string seed = "+delay_seed=" + std::to_string(geo_.delay_seed);
    const char* arguments[] = {"mesh", seed.c_str()};
    context_.commandArgs(2, arguments);
    build();
    model_->i___05Fvalid = 0;
    model_->o___05Fready = 1;
    begin(nullptr, 0);
    membranes_.resize(size_t(geo_.tiles) * neurons());
    reset();
  }

  // Send `count` packets; return after as many answers to Control::SYNC as they ask for.
  int exchange(const uint64_t* packets, int64_t count, uint64_t* out, int64_t room, int64_t* got) {
    out_ = out;
    room_ = room;
    got_ = got;
    *got = 0;
    done_ = stuck_ = 0;
    int64_t asked = 0;
    int status = kFine;
    for (; status == kFine && count; --count, ++packets) {
      put(model_->i___05Fpayload, *packets);
      model_->i___05Fvalid = 1;
      settle_ = true;
      const bool taken = until([this] { return bool(model_->i___05Fready) || stuck_; });
      status = stuck_ ? kMeshStuck : taken ? kFine : kNoEnd;
      if (status == kFine) asked += begins(*packets);
    }
    model_->i___05Fvalid = 0;
    settle_ = true;
    if (status == kFine && !until([&] { return done_ == asked || stuck_; })) status = kNoEnd;
    if (stuck_) status = kMeshStuck;
    // A stuck mesh tells one tile after another.
    while (status == kMeshStuck && stuck_ < int64_t(geo_.tiles)) cycle();
    record_ = nullptr;  // the caller's memory is the caller's again
    out_ = nullptr;
    room_ = unheard_ = 0;
    got_ = &unheard_;
    return status;
  }

  void waveform(const char* path, int64_t room) { open(path, room); }

  void idle(int64_t count) {
    for (; count > 0; --count) cycle();
  }

  void record(Record* record) {
    record_ = record;
    tick_ = -1;
    begun_ = cycles;
  }

  void observe() {
    if (model_->o___05Fvalid) arrived(take(model_->o___05Fpayload, 0, geo_.packet_bits));
    if (!record_) return;
    record_->adding[tick_ + 1] += model_->adding;
    for (unsigned tile = 0; tile < geo_.tiles; ++tile) watch(tile);
  }

 private:
  size_t neurons() const { return size_t(geo_.groups) * geo_.lanes; }

  template <class Port> static void put(Port& port, uint64_t packet) {
    const uint32_t words[2] = {uint32_t(packet), uint32_t(packet >> 32)};
    ::put(port, words);
  }

  // A packet that was just taken: does it begin a tick, or ask for an answer?
  int begins(uint64_t packet) {
    const uint64_t kind = packet >> geo_.kind & 3, what = packet >> (geo_.kind + 2);
    if (kind != kControl) return 0;
    if (record_ && tick_ >= 0) end_tick();
    if (what == kTick && record_) ++tick_;
    if (what == kClear) std::fill(membranes_.begin(), membranes_.end(), 0);
    begun_ = cycles;
    if (what != kSync) return 0;
    record_ = nullptr;
    return 1;
  }

  void end_tick() {
    if (tick_ >= record_->ticks) return;
    for (unsigned tile = 0; tile < geo_.tiles; ++tile)
      std::copy_n(&membranes_[tile * neurons()], neurons(),
                  record_->membranes + (tile * record_->ticks + tick_) * neurons());
    record_->cycles[tick_] = int64_t(cycles - begun_);
  }

  void arrived(uint64_t packet) {
    const uint64_t kind = packet >> geo_.kind & 3;
    done_ += kind == kDone;
    stuck_ += kind == kStuck;
    if (*got_ < room_) out_[*got_] = packet;
    ++*got_;
  }

  uint64_t probe(unsigned tile, uint32_t at, unsigned bits) const {
    return take(model_->probe, tile * geo_.stride + at, bits);
  }

  void watch(unsigned tile) {
    record_->merges[tile * (record_->ticks + 1) + tick_ + 1] += probe(tile, geo_.merge, 1);
    if (tick_ < 0 || tick_ >= record_->ticks) return;
    const size_t at = tile * record_->ticks + tick_;
    record_->words[at] += probe(tile, geo_.synapse, 1);
    if (probe(tile, geo_.update, 1)) update(tile, at);
    if (probe(tile, geo_.sent, 1)) sent(tile);
  }

  void update(unsigned tile, size_t at) {
    ++record_->updates[at];
    const size_t first = probe(tile, geo_.group, geo_.group_bits) * geo_.lanes;
    for (unsigned lane = 0; lane < geo_.lanes; ++lane) {
      record_->spikes[at * neurons() + first + lane] = probe(tile, geo_.spikes + lane, 1);
      membranes_[tile * neurons() + first + lane] = int32_t(sign_extend(
          probe(tile, geo_.state + lane * geo_.state_bits, geo_.state_bits), geo_.state_bits));
    }
  }

  void sent(unsigned tile) {
    const int64_t at = record_->sent++;  // counted even where there is no room left
    if (at >= record_->capacity) return;
    record_->packets[at] = probe(tile, geo_.packet, geo_.packet_bits);
    record_->packet_tick[at] = tick_;
    record_->packet_tile[at] = tile;
  }

  Geometry geo_;
  std::vector<int32_t> membranes_;
  Record* record_ = nullptr;
  uint64_t* out_ = nullptr;
  int64_t unheard_ = 0, room_ = 0, done_ = 0, stuck_ = 0, tick_ = -1;
  int64_t* got_ = &unheard_;
  uint64_t begun_ = 0;
};

extern "C" {

Core* core_new(const Geometry* geometry, const char*, int64_t) { return new Core(*geometry); }

void core_end(Core* core, Held* held) { *held = core->end(); }

void core_free(Core* core) { delete core; }

uint64_t core_cycles(const Core* core) { return core->cycles; }

int core_record(Core* core, Record* record) {
  core->record(record);
  return 0;
}

int core_waveform(Core* core, const char* path, int64_t room) {
  core->waveform(path, room);
  return 0;
}

int core_idle(Core* core, int64_t cycles) {
  core->idle(cycles);
  return 0;
}

int core_exchange(Core* core, const uint64_t* packets, int64_t count, uint64_t* out, int64_t room,
                  int64_t* got) {
  return core->exchange(packets, count, out, room, got);
}
}
