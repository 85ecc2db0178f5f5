// The border to C: no exception crosses it; failures become codes with messages, and codes of callbacks failures.
#pragma once

#include <exception>
#include <string_view>

#include "freshet/error.hpp"
#include "freshet/freshet.h"

namespace freshet::c {

// Notes the failure, where somebody wants to know it, and gives its code back.
freshet_code report(freshet_error* error, freshet_code code, std::string_view message) noexcept;

[[nodiscard]] freshet_code code_of(ErrorCode code) noexcept;

// Throws what a callback's code means.
[[noreturn]] void raise(const freshet_error& failure);

// Runs `body`, which gives a code.
template <typename Body>
freshet_code guarded(freshet_error* error, const Body& body) noexcept {
  try {
    return body();
  } catch (const Error& failure) {
    return report(error, code_of(failure.code()), failure.what());
  } catch (const std::exception& failure) {
    return report(error, FRESHET_FAILURE, failure.what());
  } catch (...) {
    return report(error, FRESHET_FAILURE, "something was thrown that is no exception");
  }
}

}  // namespace freshet::c
