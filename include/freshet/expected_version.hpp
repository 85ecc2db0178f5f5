// What a writer believes about a stream, and the append that is refused where it is wrong.
//
// Threads: values.
// Failure: none; a wrong belief is a Conflict.
#pragma once

#include "freshet/types.hpp"

namespace [[gnu::visibility("default")]] freshet {

// What the writer believes about a stream. There is no default: whoever wants no check writes any().
class ExpectedVersion {
 public:
  // The four expectations. With any() nothing is checked; exactly(Version{0}) is as none().
  enum class Kind { any, none, exists, exactly };
  static constexpr ExpectedVersion any() { return ExpectedVersion{Kind::any, {}}; }
  static constexpr ExpectedVersion none() { return ExpectedVersion{Kind::none, {}}; }      // No stream yet.
  static constexpr ExpectedVersion exists() { return ExpectedVersion{Kind::exists, {}}; }  // At least one event.
  static constexpr ExpectedVersion exactly(Version version) { return ExpectedVersion{Kind::exactly, version}; }

  [[nodiscard]] constexpr Kind kind() const { return kind_; }           // Which of them it is.
  [[nodiscard]] constexpr Version version() const { return version_; }  // Of Kind::exactly; else 0.
  [[nodiscard]] bool admits(Version actual) const;  // Whether a stream with this last version is as expected.

 private:
  constexpr ExpectedVersion(Kind kind, Version version) : kind_(kind), version_(version) {}

  Kind kind_;
  Version version_;
};

}  // namespace freshet
