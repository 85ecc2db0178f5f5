// The commands of a script: the command line's own, carried out on the script's stage.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/request.hpp"
#include "cli/session.hpp"
#include "scenario/steps.hpp"

namespace freshet::cli {

// What a script may do to files.
struct ScriptFiles {
  std::optional<std::filesystem::path> script = std::nullopt;  // Its own, if it is in one.
  ExistingFile existing = ExistingFile::refuse;                // Whether its lines may replace any.
};

class ScriptCommands final : public scenario::CommandLine {
 public:
  // `session` is that of the process which plays the script; it hears notes and knows of signals. `fixed` holds of
  // the bus, whatever the script says of it.
  explicit ScriptCommands(Session& session, const BusChange& fixed = {}, ScriptFiles files = {})
      : session_(session), fixed_(fixed), files_(std::move(files)) {}

  [[nodiscard]] std::vector<std::string> groups() const override;
  [[nodiscard]] scenario::RunCommand command(const std::vector<std::string>& words) const override;
  [[nodiscard]] BusOptions bus(const std::vector<std::string>& words, const BusOptions& current) const override;

 private:
  Session& session_;
  BusChange fixed_;
  ScriptFiles files_;
};

}  // namespace freshet::cli
