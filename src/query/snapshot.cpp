// Keeping read transactions and using them again.
#include "query/snapshot.hpp"

#include <utility>

#include "log/event_rows.hpp"

namespace freshet::query {

Snapshot::Snapshot(sqlite::Pool& pool)
    : connection_(pool.borrow()),
      // Before the transaction: if somebody commits in between, this one is not used again.
      mark_(sqlite::commit_mark(connection_->handle())),
      transaction_(*connection_, sqlite::Transaction::Kind::read),
      head_(log::last_of_log(*connection_).position),
      has_dead_letters_(connection_->integer("SELECT EXISTS (SELECT 1 FROM dead_letters)") != 0) {}

bool Snapshot::is_current() const {
  return mark_ && mark_ == sqlite::commit_mark(connection_->handle());
}

const std::optional<projection::Entry>& Snapshot::entry(const std::string& projection) {
  auto found = entries_.find(projection);
  if (found == entries_.end()) {
    found = entries_.emplace(projection, projection::find_entry(*connection_, projection)).first;
  }
  return found->second;
}

Snapshots::Loan Snapshots::borrow() {
  std::unique_ptr<Snapshot> snapshot;
  {
    auto idle = idle_.locked();
    if (!idle->empty()) {
      snapshot = std::move(idle->back());
      idle->pop_back();
    }
  }
  if (snapshot && !snapshot->is_current()) snapshot.reset();
  if (!snapshot) snapshot = std::make_unique<Snapshot>(pool_);
  return Loan(snapshot.release(), GiveBack{this});
}

void Snapshots::take_back(std::unique_ptr<Snapshot> snapshot) {
  if (keep_ == Keep::none || !snapshot->is_current()) return;
  auto idle = idle_.locked();
  if (idle->size() < idle_max) idle->push_back(std::move(snapshot));
}

void Snapshots::let_go() {
  std::vector<std::unique_ptr<Snapshot>> idle;
  idle.swap(*idle_.locked());
}

}  // namespace freshet::query
