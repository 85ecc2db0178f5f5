// Where a request runs: its store, and whoever hears the answer. A process has a session for its one
// request; a shell or a script keeps one for many.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "cli/answer.hpp"
#include "cli/output_file.hpp"
#include "freshet/store.hpp"

namespace freshet::cli {

class Session {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  // The open store. `mode` and `engine` are what the request needs at least. A store that was only looked at is
  // opened anew for a request that needs more, and what refers to it ends. What only looks asks for
  // OpenMode::read_only: then nothing changes in the file, which may be another application's.
  virtual Store& store(OpenMode mode, Engine engine) = 0;

  // What no request may write over.
  [[nodiscard]] virtual FilesInUse files_in_use() const = 0;
  // The store's file, for what is done to it while nobody here has it open: what is open is closed.
  virtual std::filesystem::path closed_file() = 0;
  // How long what is done to it waits for others.
  virtual Duration busy_timeout() = 0;
  // What is done to it first, if it is of an older format.
  virtual Upgrade upgrade() = 0;

  // The user's own session, which holds of what is read and changed; null if none is asked for. Throws if it
  // is none of this store's, which is opened as for store().
  virtual freshet::Session* user_session(OpenMode /*mode*/, Engine /*engine*/) { return nullptr; }

  // The order service, in the user's session if there is one.
  orders::Orders orders(OpenMode mode, Engine engine) {
    freshet::Session* const user = user_session(mode, engine);
    return user == nullptr ? orders::Orders{store(mode, engine)} : orders::Orders{*user};
  }

  // Hands an answer over; a stream of events is one answer each. False: nobody listens any more.
  virtual bool answer(const Answer& answer) = 0;

  // Sleeps until `descriptor` is readable. False: the request is to end, or its answers have no listener any more.
  virtual bool wait_for(int descriptor) = 0;

  // A line beside the answer, for people.
  virtual void note(const std::string& line) = 0;

  // How far a long request is; `total` 0 if that is not known.
  virtual void progress(std::string_view what, std::int64_t done, std::int64_t total) = 0;

  // The signal that asks a long request to end soon; 0 if there is none.
  virtual int interrupted() = 0;
};

}  // namespace freshet::cli
