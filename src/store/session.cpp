// Sessions: what was seen, and the log that takes note of it.
#include "freshet/session.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <utility>

#include "freshet/error.hpp"
#include "store/session_token.hpp"

namespace freshet {
namespace {

// The highest position that was noted.
class Seen {
 public:
  void note(Position position) {
    std::int64_t known = value_;
    while (known < position.value && !value_.compare_exchange_weak(known, position.value)) {
    }
  }
  [[nodiscard]] Position position() const { return Position{value_}; }

 private:
  std::atomic<std::int64_t> value_ = 0;
};

// The store's log, with what passes through it noted.
class NotingLog final : public EventLog {
 public:
  NotingLog(EventLog& log, Seen& seen) : log_(log), seen_(seen) {}

  [[nodiscard]] AppendResult append(const Append& request) override { return noted(log_.append(request)); }

  [[nodiscard]] std::future<AppendResult> append_async(const Append& request) override {
    return std::async(std::launch::deferred,
                      [this, future = log_.append_async(request)]() mutable { return noted(future.get()); });
  }

  void write(const std::function<void(AppendTransaction&)>& body) override {
    log_.write(body);
    // What others have committed since is waited for as well, which is little.
    seen_.note(log_.head());
  }

  [[nodiscard]] std::optional<AppendResult> find_command(std::string_view command_id, const StreamId& stream,
                                                         const CommandIdentity& identity) const override {
    auto known = log_.find_command(command_id, stream, identity);
    return known ? std::optional{noted(*std::move(known))} : std::nullopt;
  }

  [[nodiscard]] Position head() const override {
    const Position head = log_.head();
    seen_.note(head);
    return head;
  }

  [[nodiscard]] Version version(const StreamId& stream) const override {
    const Version version = log_.version(stream);
    // Its event is up to here.
    if (version > Version{}) seen_.note(log_.head());
    return version;
  }

  [[nodiscard]] std::vector<RecordedEvent> read(const LogRequest& request) const override {
    return noted(log_.read(request));
  }

  void export_events(const std::function<bool(const ExportedEvent&)>& take) const override {
    log_.export_events([&](const ExportedEvent& exported) {
      seen_.note(exported.event.position);
      return take(exported);
    });
  }

  [[nodiscard]] std::vector<RecordedEvent> read_stream(const StreamId& stream, Version after,
                                                       std::size_t events_max) const override {
    return noted(log_.read_stream(stream, after, events_max));
  }

  [[nodiscard]] std::optional<KeptSnapshot> find_snapshot(const StreamId& stream, std::string_view name,
                                                          int schema) const override {
    auto kept = log_.find_snapshot(stream, name, schema);
    if (kept) seen_.note(kept->position);
    return kept;
  }

 private:
  [[nodiscard]] AppendResult noted(AppendResult result) const {
    if (const auto* appended = std::get_if<Appended>(&result)) {
      seen_.note(appended->last);
    } else if (const auto* conflict = std::get_if<Conflict>(&result); conflict != nullptr) {
      // It tells of a version, whose event is up to there.
      if (conflict->actual > Version{}) seen_.note(log_.head());
    }
    return result;
  }

  [[nodiscard]] std::vector<RecordedEvent> noted(std::vector<RecordedEvent> events) const {
    if (!events.empty()) seen_.note(std::max(events.front().position, events.back().position));
    return events;
  }

  EventLog& log_;
  Seen& seen_;
};

}  // namespace

class [[gnu::visibility("hidden")]] Session::State {
 public:
  explicit State(Store& of) : store(of), identity(of.identity()), log(of.log(), seen) { store.count_sessions(1); }
  ~State() { store.count_sessions(-1); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Store& store;
  const StoreIdentity identity;
  Seen seen;
  NotingLog log;
};

Session::Session(Store& store) : state_(std::make_unique<State>(store)) {}

Session::Session(Store& store, std::string_view token) : Session(store) {
  const auto parsed = store::parse_token(token);
  if (!parsed) {
    throw Error(ErrorCode::invalid,
                "'" + std::string(token) + "' is no session token: it has to be copied to the letter");
  }
  const auto own = store::make_token(state_->identity, parsed->position);
  if (parsed->store != own.store) {
    throw Error(ErrorCode::foreign_session, "the session belongs to another store: begin a new one");
  }
  if (parsed->epoch != own.epoch) {
    throw Error(ErrorCode::foreign_session,
                "the session is from before a backup was restored, and what it saw may be gone: begin a new one");
  }
  note(parsed->position);
}

Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Store& Session::store() const {
  return state_->store;
}
EventLog& Session::log() const {
  return state_->log;
}

Reading Session::read(ReadRequest request) {
  request.seen = std::max(request.seen, seen());
  Reading reading = state_->store.read(request);
  note(reading.newest());
  return reading;
}

void Session::note(Position position) {
  state_->seen.note(position);
}
Position Session::seen() const {
  return state_->seen.position();
}
std::string Session::token() const {
  return store::format_token(store::make_token(state_->identity, seen()));
}

}  // namespace freshet
