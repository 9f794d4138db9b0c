// Drives a Verilated board by its two pins: bytes in, bytes out, bits timed as the other end of a
// serial line times them. Compiled together with the model; `spikewatt.cosim.board` calls it.

#include "Vboard.h"
#include "simulation.h"

#include <deque>
#include <random>

extern "C" {

// `bit` is what the host takes for a bit, in cycles of the board; `sent` and `received` are the
// probabilities of a wrong bit, start and stop bits included.
struct Geometry {
  double bit, sent, received;
  uint32_t seed, half_period;
};
}

constexpr int kBits = 10;  // of a byte, with start and stop

class Core : public Simulation<Vboard, Core> {
 public:
  static constexpr bool kDelays = false;

  Core(const Geometry& geometry, const char* waveform, int64_t room)
      : Simulation(geometry.half_period), geo_(geometry), random_(geometry.seed) {
    build();
    model_->rx = 1;
    begin(waveform, room);
    reset();
  }

  // Put bytes on the line; what comes back meanwhile is kept.
  void write(const uint8_t* bytes, int64_t count) {
    for (; count > 0; --count, ++bytes) {
      double next = double(cycles);
      for (int k = 0; k < kBits; ++k) {
        const bool level = k == 0 ? 0 : k == kBits - 1 ? 1 : *bytes >> (k - 1) & 1;
        drive(level != wrong(geo_.sent));
        next += geo_.bit;
        while (double(cycles) < next) cycle();
      }
      drive(1);
    }
  }

  // Wait `patience` cycles at most for a byte; then take all until the line is at rest.
  int64_t read(uint8_t* bytes, int64_t room, int64_t patience) {
    const uint64_t limit = cycles + patience;
    while (come_.empty() && cycles < limit) cycle();
    const uint64_t pause = uint64_t(2 * kBits * geo_.bit);
    while (!come_.empty() && cycles < last_ + pause && int64_t(come_.size()) < room) cycle();
    int64_t got = 0;
    for (; got < room && !come_.empty(); come_.pop_front()) bytes[got++] = come_.front();
    return got;
  }

  void idle(int64_t count) {
    for (; count > 0; --count) cycle();
  }

  void observe() {
    const bool level = model_->tx;
    if (!taking_) {
      if (before_ && !level) {
        taking_ = true;
        place_ = 0;
        next_ = double(cycles) + geo_.bit / 2;
      }
    } else if (double(cycles) >= next_) {
      sample(level != wrong(geo_.received));
    }
    before_ = level;
  }

 private:
  void sample(bool level) {
    next_ += geo_.bit;
    if (place_ == 0) taking_ = !level;
    else if (place_ < kBits - 1) byte_ = uint8_t(byte_ >> 1 | level << 7);
    else {
      taking_ = false;
      come_.push_back(byte_);  // without a stop bit too, as most serial ports do
      last_ = cycles;
    }
    ++place_;
  }

  void drive(bool level) {
    model_->rx = level;
    settle_ = true;
  }

  bool wrong(double probability) {
    return probability > 0 && std::bernoulli_distribution(probability)(random_);
  }

  Geometry geo_;
  std::mt19937 random_;
  std::deque<uint8_t> come_;
  bool taking_ = false, before_ = true;
  int place_ = 0;
  double next_ = 0;
  uint8_t byte_ = 0;
  uint64_t last_ = 0;
};

extern "C" {

Core* core_new(const Geometry* geometry, const char* waveform, int64_t room) {
  return new Core(*geometry, waveform, room);
}

void core_end(Core* core, Held* held) { *held = core->end(); }

void core_free(Core* core) { delete core; }

uint64_t core_cycles(const Core* core) { return core->cycles; }

int core_write(Core* core, const uint8_t* bytes, int64_t count) {
  core->write(bytes, count);
  return 0;
}

int core_take(Core* core, uint8_t* bytes, int64_t room, int64_t patience, int64_t* got) {
  *got = core->read(bytes, room, patience);
  return 0;
}

int core_idle(Core* core, int64_t cycles) {
  core->idle(cycles);
  return 0;
}
}
