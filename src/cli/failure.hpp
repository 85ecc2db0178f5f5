// Why a request failed: the exit code, the code in JSON and the sentence for people, in one place.
#pragma once

#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "freshet/error.hpp"

namespace freshet::cli {

// As in the documented table of exit codes.
enum class Exit {
  success = 0,
  broken = 1,
  usage = 2,
  rejected = 3,
  conflict = 4,
  not_found = 5,
  stale = 6,
  corrupt = 7,
  busy = 8,
  signal = 128,  // Plus the signal's number.
};

struct Failure {
  int exit_code;
  std::string code;
  std::string message;
  nlohmann::ordered_json details = nlohmann::ordered_json::object();  // More fields of the error object.
  std::vector<std::string> remarks = {};  // What people should read before the message; details has it too.
};

[[nodiscard]] Failure usage_failure(std::string message);
[[nodiscard]] Failure not_found_failure(std::string message);
[[nodiscard]] Failure interrupted_failure(int signal, std::string message);
[[nodiscard]] Failure failure_of(const Error& error);

// Of anything that is thrown: what the system refuses is told in this program's words.
[[nodiscard]] Failure failure_of(const std::exception& error);

}  // namespace freshet::cli
