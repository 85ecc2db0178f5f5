// Stored samples of old events.
#include <algorithm>
#include <string>

#include "freshet/testing.hpp"

namespace freshet::testing {

void check_samples_are_complete(std::span<const Upcaster> upcasters, std::span<const Sample> samples) {
  for (const Upcaster& upcaster : upcasters) {
    const bool found = std::any_of(samples.begin(), samples.end(), [&](const Sample& sample) {
      return sample.type == upcaster.type && sample.schema_version == upcaster.from;
    });
    if (found) continue;
    throw Difference("there is no sample of " + upcaster.type + " of schema version " + std::to_string(upcaster.from) +
                     ", which an upcaster leads from");
  }
}

RecordedEvent upcast_sample(std::span<const Upcaster> upcasters, const Sample& sample) {
  try {
    return upcast(upcasters,
                  recorded({.type = sample.type, .schema_version = sample.schema_version, .data = sample.data}));
  } catch (const std::exception& exception) {
    throw Difference("cannot upcast the sample of " + sample.type + " of schema version " +
                     std::to_string(sample.schema_version) + ": " + exception.what());
  }
}

}  // namespace freshet::testing
