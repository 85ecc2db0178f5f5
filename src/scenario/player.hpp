// Plays a script on a stage and reports what happened.
#pragma once

#include <string>
#include <vector>

#include "scenario/stage.hpp"
#include "scenario/steps.hpp"
#include "scenario/timeline.hpp"

namespace freshet::scenario {

// A script that does not pass is no exception: the report says where it failed and what happened until then.
[[nodiscard]] Report play(const std::string& name, const std::vector<Step>& steps, const StageOptions& options);

}  // namespace freshet::scenario
