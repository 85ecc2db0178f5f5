// Reads of the log itself: in both directions, of a stream or a category, whole or in batches beside appends.
#include <algorithm>

#include "freshet/event_range.hpp"
#include "simulation/simulation.hpp"
#include "simulation/violation.hpp"

namespace freshet::simulation {
namespace {

// What the request asks for of the log as it is.
std::vector<std::int64_t> meant(const ModelLog& model, const LogRequest& request) {
  std::vector<std::int64_t> positions;
  for (std::int64_t position = 1; position <= model.head(); ++position) {
    const StreamId stream = id_of(model.at(position).stream);
    if (position <= request.after.value || (request.until && position >= request.until->value)) continue;
    if (request.stream && stream != *request.stream) continue;
    if (request.category && stream.category != *request.category) continue;
    positions.push_back(position);
  }
  if (request.direction == Direction::backwards) std::ranges::reverse(positions);
  positions.resize(std::min(positions.size(), request.events_max));
  return positions;
}

std::string describe(const LogRequest& request) {
  return std::string("read the log ") + (request.direction == Direction::backwards ? "backwards" : "forwards") +
         " above " + text(request.after.value) + (request.until ? ", below " + text(request.until->value) : "") +
         (request.stream ? ", stream " + request.stream->id : "") +
         (request.category ? ", category " + *request.category : "");
}

}  // namespace

LogRequest Simulation::any_log_request() {
  LogRequest request;
  if (dice_.chance(0.5)) request.after = Position{dice_.number(file_.model.head() + 1)};
  if (dice_.chance(0.5)) request.until = Position{dice_.number(file_.model.head() + 2)};
  if (dice_.chance(0.5)) request.direction = Direction::backwards;
  if (dice_.chance(0.5)) request.events_max = dice_.below(6);
  switch (dice_.below(4)) {
    case 0:
      request.stream = id_of(dice_.chance(0.2) ? rare_stream : any_stream());
      break;
    case 1:
      request.category = id_of(any_stream()).category;
      break;
    case 2:
      request.category = id_of(rare_stream).category;
      break;
    default:
      break;
  }
  return request;
}

void Simulation::read_log(Process& process) {
  LogRequest request = any_log_request();
  note(describe(request) + " by " + process.name);
  const auto expected = meant(file_.model, request);
  std::size_t read = 0;
  bool appended = false;
  const auto check_next = [&](const RecordedEvent& event) {
    expect("a read of the log gives no more than was asked for", read < expected.size());
    expect_equal("which event of the log is read", Position{expected[read++]}, event.position);
    compare(file_.model, event);
    counters_.count_if(appended, Rare::range_beside_appends);
  };
  if (dice_.chance(0.3)) {
    for (const RecordedEvent& event : process.store->log().read(request)) check_next(event);
  } else {
    request.bytes_max = dice_.below(60) + 1;
    for (const RecordedEvent& event : EventRange(process.store->log(), request)) {
      check_next(event);
      if (!dice_.chance(0.1)) continue;
      append(any_process(), any_draft());
      appended = true;
    }
  }
  expect_equal("how many events of the log are read", expected.size(), read);
  counters_.count_if(read > 0 && request.direction == Direction::backwards, Rare::read_backwards);
  counters_.count_if(read > 0 && request.category == id_of(rare_stream).category, Rare::read_rare_category);
}

}  // namespace freshet::simulation
