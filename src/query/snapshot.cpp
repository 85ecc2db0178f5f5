// Looking things up once a snapshot.
#include "query/snapshot.hpp"

namespace freshet::query {

Position Snapshot::head() {
  if (!head_) head_ = log::last_of_log(connection()).position;
  return *head_;
}

const std::optional<log::StreamEnd>& Snapshot::find_stream(const StreamId& stream) {
  if (!stream_end_ || stream_ != stream) {
    stream_end_ = log::find_stream_end(connection(), stream);
    stream_ = stream;
  }
  return stream_end_;
}

const std::optional<projection::Entry>& Snapshot::entry(const std::string& projection) {
  auto found = entries_.find(projection);
  if (found == entries_.end()) {
    found = entries_.emplace(projection, projection::find_entry(connection(), projection)).first;
  }
  return found->second;
}

bool Snapshot::has_dead_letters() {
  if (!has_dead_letters_) {
    has_dead_letters_ = connection().integer("SELECT EXISTS (SELECT 1 FROM dead_letters)") != 0;
  }
  return *has_dead_letters_;
}

}  // namespace freshet::query
