// Looking things up once a snapshot.
#include "query/snapshot.hpp"

namespace freshet::query {

Position Snapshot::head() {
  if (!head_) head_ = log::last_of_log(connection()).position;
  return *head_;
}

const std::optional<log::StreamEnd>& Snapshot::find_stream(const StreamId& stream) {
  const auto found = streams_.find(stream);
  if (found != streams_.end()) return found->second;
  if (streams_.size() >= streams_max) streams_.clear();
  return streams_.emplace(stream, log::find_stream_end(connection(), stream)).first->second;
}

const projection::Entry* Snapshot::entry(std::string_view projection) {
  if (!entries_) entries_ = projection::read_entries(connection());
  const auto found = entries_->find(projection);
  return found == entries_->end() ? nullptr : &found->second;
}

bool Snapshot::has_dead_letters() {
  if (!has_dead_letters_) {
    has_dead_letters_ = connection().integer("SELECT EXISTS (SELECT 1 FROM dead_letters)") != 0;
  }
  return *has_dead_letters_;
}

}  // namespace freshet::query
