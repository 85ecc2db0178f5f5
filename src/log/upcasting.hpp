// Chains of upcasters, from each type's first schema version to its newest; and what is known of types without.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "freshet/upcaster.hpp"

namespace freshet::log {

class Upcasting {
 public:
  Upcasting() = default;
  // Throws Error `invalid` if a chain has a gap or goes two ways, or a form is none.
  explicit Upcasting(std::span<const Upcaster> upcasters, KnownForms forms = {});

  [[nodiscard]] bool is_newest(const RecordedEvent& event) const;

  // Brings the event into the newest form of its type. Cheap for one that is.
  void upcast(RecordedEvent& event) const;
  // The same, but an event that cannot be upcast stays as it is.
  void upcast_or_leave(RecordedEvent& event) const;

  // Throws Error `invalid` unless the event is in the newest form that the application knows.
  void check_newest(const NewEvent& event) const;

 private:
  // The conversions of one type: the first is from version 1.
  using Chain = std::vector<std::function<std::string(std::string_view)>>;

  [[nodiscard]] int newest(std::string_view type) const;

  std::map<std::string, Chain, std::less<>> chains_;
  KnownForms forms_;
};

}  // namespace freshet::log
