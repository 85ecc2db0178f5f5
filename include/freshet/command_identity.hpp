// Which command an idempotency key belongs to: the command's name and a digest of its arguments. The log keeps both,
// with the stream, under the key. A retry says the same again and gets the first answer; whatever says anything else
// under the key is KeyReused.
//
//   static CommandIdentity identify(const Pay& pay) {
//     return CommandIdentity("pay").add(pay.amount_minor).add(pay.at);
//   }
//
// An argument is whatever the caller said that decides what is recorded, in an order that stays. What a retry may say
// otherwise is none: an expected version, the present time, an id that is made up.
//
// Threads: values. Failure: EventLog::append() answers a name outside its bounds with Error `invalid`.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>

#include "freshet/types.hpp"

namespace [[gnu::visibility("default")]] freshet {

inline constexpr std::size_t command_name_bytes_max = 255;  // The bound of a key.

// What the log keeps of a CommandIdentity, and compares.
struct KeptIdentity {
  std::string name;                  // Empty where the append named no command.
  std::array<char, 16> arguments{};  // The XXH3 digest of 128 bits, its highest byte first.
  friend bool operator==(const KeptIdentity&, const KeptIdentity&) = default;
};

// A command's name, and its arguments as they are added.
class CommandIdentity {
 public:
  // 1 to command_name_bytes_max bytes of UTF-8.
  explicit CommandIdentity(std::string name) : name_(std::move(name)) {}

  // One argument each. Each is fed with its kind and its length, so that no two lists of arguments feed the same bytes:
  // "ab", "c" is not "a", "bc", and a missing argument is not an empty one. An integer is the same in every type.
  CommandIdentity& add(std::string_view text);
  CommandIdentity& add(Timestamp time);
  template <std::integral Number>
  CommandIdentity& add(Number number) {
    static_assert(sizeof(Number) <= sizeof(std::uint64_t), "a number has at most 64 bits");
    return add_number(number < Number{} ? Sign::negative : Sign::positive, static_cast<std::uint64_t>(number));
  }
  template <typename Argument>
  CommandIdentity& add(const std::optional<Argument>& argument) {
    add_presence(argument.has_value());
    if (argument) add(*argument);
    return *this;
  }

  // A list: `add_one(identity, item)` adds what an item says. With its size, so that an item is of one list alone.
  template <std::ranges::sized_range List, typename AddOne>
  CommandIdentity& add_each(const List& list, AddOne add_one) {
    add_size(std::ranges::size(list));
    for (const auto& item : list) add_one(*this, item);
    return *this;
  }
  template <std::ranges::sized_range List>
  CommandIdentity& add_each(const List& list) {
    return add_each(list, [](CommandIdentity& identity, const auto& item) { identity.add(item); });
  }

  // The stream's name was made up for this try, so it is no argument: a retry comes with another one, and gets the
  // answer with the first. A command that was given its stream is another one.
  CommandIdentity& make_up_stream();

  // Whether make_up_stream() was called.
  [[nodiscard]] bool has_made_up_stream() const { return has_made_up_stream_; }
  // Returns the command's name.
  [[nodiscard]] const std::string& name() const { return name_; }
  // Returns the name with the digest of all that was added.
  [[nodiscard]] KeptIdentity kept() const;

 private:
  enum class Sign { positive, negative };

  CommandIdentity& add_number(Sign sign, std::uint64_t bits);
  void add_presence(bool is_present);
  void add_size(std::size_t size);
  void feed(char kind, std::uint64_t number);

  std::string name_;
  std::string fed_;
  bool has_made_up_stream_ = false;
};

// An answer: the key was given to another command, of another stream, under another name or with other arguments.
// Nothing was recorded; a new command takes a new key. Keys from files of format 3 tell nothing to compare: whoever
// comes with one gets the first answer.
struct KeyReused {
  StreamId stream;      // The stream of the command that has the key.
  std::string command;  // The name of that command; empty where its append named none.
};

struct Append;
// Returns the request's `identity`, or one of its events where it has none; see Append::identity in event_log.hpp.
[[nodiscard]] CommandIdentity identity_of(const Append& request);

}  // namespace freshet
