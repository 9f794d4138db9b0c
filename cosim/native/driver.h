// A Verilated core with a configuration port and a command stream, driven in batches.
#pragma once

#include "simulation.h"

constexpr int kConfigAddress = 32, kWrite = 60;  // bit positions in the configuration payload

template <class Model, class Self> class Driver : public Simulation<Model, Self> {
 public:
  using Base = Simulation<Model, Self>;
  using Base::cycles;
  static constexpr bool kDelays = false;

  Driver(uint32_t half_period, const char* waveform, int64_t room) : Base(half_period) {
    this->build();
    model_->i___05Fvalid = 0;
    model_->command___05Fvalid = 0;
    model_->config___05Fvalid = 0;
    model_->response___05Fready = 0;
    model_->o___05Fready = 1;
    this->begin(waveform, room);
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

 protected:
  using Base::cycle, Base::model_, Base::settle, Base::settle_, Base::until;
};
