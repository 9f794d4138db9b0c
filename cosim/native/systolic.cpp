// Drives a Verilated systolic core in batches: words of inputs in, words of accumulators out, no
// Python in between. Compiled together with the model; `spikewatt.cosim.systolic` calls it.

#include "Vsystolic.h"
#include "driver.h"

#include <algorithm>

extern "C" {

struct Geometry {
  uint32_t columns, sum_bits, activation_bits, input_words, half_period;
};

// What a run leaves. Results and outputs beyond their room are counted and dropped.
struct Record {
  uint8_t* results;   // [result_room][columns] requantised activations, as they are written
  int64_t* outputs;   // [output_room][columns]
  int64_t accesses[6];  // reads of weights, biases, activations; writes of these; accumulators r, w
  int64_t result_room, output_room, result_count, output_count;
};
}

class Core : public Driver<Vsystolic, Core> {
 public:
  Core(const Geometry& geometry, const char* waveform, int64_t room)
      : Driver(geometry.half_period, waveform, room), geo_(geometry) {
    reset();
  }

  // Give the command, send `words` words of input, wait for the end.
  bool run(int batch, const uint32_t* words, int64_t count, Record& record) {
    record_ = &record;
    bool ok = command(batch - 1);
    for (; ok && count; --count, words += geo_.input_words) {
      put(model_->i___05Fpayload, words);
      model_->i___05Fvalid = 1;
      settle_ = true;
      ok = until([this] { return bool(model_->i___05Fready); });
    }
    model_->i___05Fvalid = 0;
    settle_ = true;
    ok = ok && until_idle();
    record_ = nullptr;
    return ok;
  }

  void observe() {
    if (!record_) return;
    int64_t* count = record_->accesses;
    count[0] += model_->probe___05Fweight_read;
    count[1] += model_->probe___05Fbias_read;
    count[2] += model_->probe___05Factivation_read;
    count[3] += model_->probe___05Factivation_write;
    count[4] += model_->probe___05Faccumulator_read;
    count[5] += model_->probe___05Faccumulator_write;
    if (model_->probe___05Fresult) result();
    if (model_->o___05Fvalid) output();
  }

 private:
  void result() {
    const int64_t at = record_->result_count++;
    if (at >= record_->result_room) return;
    for (unsigned c = 0; c < geo_.columns; ++c)
      record_->results[at * geo_.columns + c] = uint8_t(
          take(model_->probe___05Fword, c * geo_.activation_bits, geo_.activation_bits));
  }

  void output() {
    const int64_t at = record_->output_count++;
    if (at >= record_->output_room) return;
    for (unsigned c = 0; c < geo_.columns; ++c)
      record_->outputs[at * geo_.columns + c] = sign_extend(
          take(model_->o___05Fpayload, c * geo_.sum_bits, geo_.sum_bits), geo_.sum_bits);
  }

  Geometry geo_;
  Record* record_ = nullptr;
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

int core_configure(Core* core, const uint32_t* address, const uint32_t* data, int64_t count) {
  return !core->configure(address, data, count);
}

int core_read(Core* core, const uint32_t* address, uint32_t* data, int64_t count) {
  return !core->read(address, data, count);
}

int core_run(Core* core, int batch, const uint32_t* words, int64_t count, Record* record) {
  return !core->run(batch, words, count, *record);
}
}
