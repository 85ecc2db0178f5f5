// Gaps filled, projections wrapped, the file prepared.
#include "store/options.hpp"

#include <algorithm>
#include <utility>

#include "base/deliberate_bug.hpp"
#include "base/file_name.hpp"
#include "base/thrown.hpp"
#include "freshet/error.hpp"
#include "log/format.hpp"
#include "projection/catalog.hpp"
#include "projection/upcast_projection.hpp"

namespace freshet::store {
namespace {

// Far from where adding it to a time overflows.
constexpr Duration busy_timeout_max = std::chrono::hours{24};

}  // namespace

sqlite::ConnectionOptions connection_options(const StoreOptions& options, sqlite::Access access, sqlite::Sync sync) {
  return {.file = options.file, .access = access, .sync = sync, .busy_timeout = options.busy_timeout};
}

sqlite::Keep keep(const StoreOptions& options) {
  return options.engine == Engine::threads ? sqlite::Keep::some : sqlite::Keep::none;
}

StoreOptions prepared(StoreOptions options, const std::shared_ptr<const log::Upcasting>& upcasting) {
  if (options.file.empty()) throw Error(ErrorCode::invalid, "a store has a file, and its name is empty");
  // SQLite takes ":memory:" and "file:..." for more than names. And whatever is beside the file, SQLite's log and the
  // locks of this library, is named after the file itself, so that all who use it meet.
  options.file =
      deliberately(Bug::companions_by_given_name) ? std::filesystem::absolute(options.file) : resolved(options.file);
  if (!options.clock) options.clock = std::make_shared<SystemClock>();
  options.on_notice = [tell = std::move(options.on_notice)](const Notice& notice) {
    try {
      if (tell) tell(notice);
    } catch (...) {
      // There is nobody else to be told of it.
    }
  };
  if (options.on_trace) {
    options.on_trace = [tell = std::move(options.on_trace), notice = options.on_notice](const Trace& trace) {
      try {
        tell(trace);
      } catch (...) {
        notice({Notice::Level::error, "being told of an event has failed: " + words_of_thrown()});
      }
    };
  }
  if (options.mode == OpenMode::read_only) options.engine = Engine::off;
  options.busy_timeout = std::clamp<Duration>(options.busy_timeout, Duration{0}, busy_timeout_max);
  projection::check_rules(options.projections);
  for (auto& projection : options.projections) {
    projection = std::make_shared<projection::UpcastProjection>(std::move(projection), upcasting);
  }
  log::prepare_file(options);
  return options;
}

}  // namespace freshet::store
