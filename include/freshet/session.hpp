// A session: whoever reads and writes through it reads their own writes, and never goes back in time.
//
// It takes note of what was appended and of what its reads have shown, and asks every later read for at
// least that: one position of the log, which a token carries to another process or another day. The
// price is a wait where the read tables are behind that position, up to the request's timeout; then the
// answer is stale and says so, as of any read.
//
// Threads: any, at the same time.
// Failure: as the store. A token is `invalid` if it was mistyped, and `foreign_session` if it belongs to
// another store, or to this one before a backup of it was restored. A position that the log does not
// hold yet is no failure: it is waited for.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "freshet/event_log.hpp"
#include "freshet/query.hpp"
#include "freshet/store.hpp"

namespace [[gnu::visibility("default")]] freshet {

// One user's view of a store. It costs a few bytes: have one a window, a request or a login.
class Session {
 public:
  // Begins: nothing was seen yet. The session ends before `store` is destroyed; it may end after it is closed.
  explicit Session(Store& store);

  // Goes on where the session was that gave this token.
  Session(Store& store, std::string_view token);

  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // For what a session has no say in; reads of it are not noted.
  [[nodiscard]] Store& store() const;

  // The store's log. What is appended or read through it counts as seen, a version or a head that it tells of included;
  // give it to execute() and replay().
  // What append_async() records counts when its result is asked for, which is done while the session lives; until
  // then its future is deferred, and wait_for() says no more than that.
  [[nodiscard]] EventLog& log() const;

  // As Store::read, with all that was seen in the answer; what the answer shows counts as seen from then on.
  [[nodiscard]] Reading read(ReadRequest request);

  // Something was seen in another way.
  void note(Position position);
  [[nodiscard]] Position seen() const;

  // About 30 characters, good in URLs and for a person to copy: the store, its epoch, the position, and a
  // check of the three.
  [[nodiscard]] std::string token() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

// Whether some session may have given this token; of which store is found out when a session begins with it.
[[nodiscard]] bool is_session_token(std::string_view text);

}  // namespace freshet
