// Finds the function for a request.
#include "cli/commands.hpp"

#include "base/ensure.hpp"

namespace freshet::cli {

Result run(const Request& request, Session& session) {
  return std::visit([&session](const auto& asked) { return run_request(asked, session); }, request);
}

Result run_request(const RunShell& /*request*/, Session& /*session*/) {
  ensure(false, "a shell is run by its process");
  return std::nullopt;
}

Result run_request(const ChangeBus& /*request*/, Session& /*session*/) {
  ensure(false, "the bus is changed by whoever opened the store");
  return std::nullopt;
}

}  // namespace freshet::cli
