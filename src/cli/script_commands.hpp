// The commands of a script: the command line's own, carried out on the script's stage.
#pragma once

#include <string>
#include <vector>

#include "cli/session.hpp"
#include "scenario/steps.hpp"

namespace freshet::cli {

class ScriptCommands final : public scenario::CommandLine {
 public:
  // `session` is that of the process which plays the script; it hears notes and knows of signals.
  explicit ScriptCommands(Session& session) : session_(session) {}

  [[nodiscard]] std::vector<std::string> groups() const override;
  [[nodiscard]] scenario::RunCommand command(const std::vector<std::string>& words) const override;
  [[nodiscard]] BusOptions bus(const std::vector<std::string>& words, const BusOptions& current) const override;

 private:
  Session& session_;
};

}  // namespace freshet::cli
