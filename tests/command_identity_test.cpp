// Tests of what an idempotency key belongs to: different arguments are never the same bytes.
#include "freshet/command_identity.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <variant>
#include <vector>

#include "freshet/event_log.hpp"

using namespace std::chrono_literals;
using namespace freshet;

namespace {

std::string hexadecimal(const KeptIdentity& identity) {
  std::string digits;
  for (const char byte : identity.arguments) {
    for (const unsigned shift : {4U, 0U})
      digits += "0123456789abcdef"[(static_cast<unsigned char>(byte) >> shift) & 15U];
  }
  return digits;
}

CommandIdentity command() {
  return CommandIdentity("command");
}

// What an argument may be, compared as it is.
using Texts = std::vector<std::string>;
using Argument =
    std::variant<std::string, std::int64_t, Timestamp, std::optional<std::string>, std::optional<std::int64_t>, Texts>;

// Small ones, so that lists of them often look alike.
class Drawn {
 public:
  explicit Drawn(unsigned seed) : random_(seed) {}

  std::vector<Argument> arguments() {
    std::vector<Argument> arguments(below(4));
    for (Argument& argument : arguments) argument = any();
    return arguments;
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  std::string text() {
    // The kinds that are fed before an argument are among the letters.
    std::string text(below(3), ' ');
    for (char& letter : text) letter = std::string_view("ab01t+-[@*\0", 11)[below(11)];
    return text;
  }
  std::int64_t number() { return static_cast<std::int64_t>(below(5)) - 2; }
  Argument any() {
    switch (below(6)) {
      case 0:
        return text();
      case 1:
        return number();
      case 2:
        return Timestamp{Duration{number()}};
      case 3:
        return below(2) == 0 ? std::nullopt : std::optional{text()};
      case 4:
        return below(2) == 0 ? std::nullopt : std::optional{number()};
      default: {
        Texts texts(below(3));
        for (std::string& each : texts) each = text();
        return texts;
      }
    }
  }

  std::mt19937 random_;
};

// A missing text says what a missing number says: nothing.
bool are_same(const Argument& left, const Argument& right) {
  const auto is_missing = [](const Argument& argument) {
    return argument == Argument{std::optional<std::string>{}} || argument == Argument{std::optional<std::int64_t>{}};
  };
  return left == right || (is_missing(left) && is_missing(right));
}

CommandIdentity said(const std::vector<Argument>& arguments) {
  CommandIdentity identity = command();
  for (const Argument& argument : arguments) {
    std::visit(
        [&](const auto& given) {
          if constexpr (std::is_same_v<decltype(given), const Texts&>) {
            identity.add_each(given);
          } else {
            identity.add(given);
          }
        },
        argument);
  }
  return identity;
}

}  // namespace

TEST_SUITE("command_identity") {
  TEST_CASE("add: two lists of arguments have the same digest only if they are the same") {
    Drawn drawn(7);
    std::map<std::string, std::vector<Argument>> first;
    int again = 0;
    for (int count = 0; count < 50'000; ++count) {
      const auto arguments = drawn.arguments();
      const auto [known, is_new] = first.emplace(hexadecimal(said(arguments).kept()), arguments);
      again += is_new ? 0 : 1;
      REQUIRE(std::ranges::equal(known->second, arguments, are_same));
    }
    CHECK(again > 1'000);
  }

  TEST_CASE("add: where one argument ends and the next begins makes a difference") {
    const auto texts = [](std::string_view left, std::string_view right) {
      return command().add(left).add(right).kept();
    };
    CHECK(texts("ab", "c") != texts("a", "bc"));
    CHECK(texts("", "abc") != texts("abc", ""));
    CHECK(command().add("").kept() != command().kept());
    CHECK(command().add("1").kept() != command().add(1).kept());
    CHECK(command().add(Timestamp{1us}).kept() != command().add(1).kept());
  }

  TEST_CASE("add: what is missing is neither empty nor zero") {
    using Text = std::optional<std::string>;
    CHECK(command().add(Text{}).kept() != command().add(Text{""}).kept());
    CHECK(command().add(std::optional<int>{}).kept() != command().add(std::optional{0}).kept());
    CHECK(command().add(Text{}).add(Text{"a"}).kept() != command().add(Text{"a"}).add(Text{}).kept());
  }

  TEST_CASE("add_each: an item is of one list alone") {
    const auto lists = [](const Texts& left, const Texts& right) {
      return command().add_each(left).add_each(right).kept();
    };
    CHECK(lists({"a", "b"}, {}) != lists({"a"}, {"b"}));
    CHECK(lists({}, {"a", "b"}) != lists({"a", "b"}, {}));
    const auto twice = [](CommandIdentity& identity, int item) { identity.add(item).add(item); };
    CHECK(command().add_each(std::vector{1, 2}, twice).kept() != command().add_each(std::vector{1, 1, 2, 2}).kept());
  }

  TEST_CASE("add: a number is the same in every type, and its sign counts") {
    CHECK(command().add(5).kept() == command().add(std::uint8_t{5}).kept());
    CHECK(command().add(-5).kept() == command().add(std::int64_t{-5}).kept());
    CHECK(command().add(-1).kept() != command().add(std::numeric_limits<std::uint64_t>::max()).kept());
    CHECK(command().add(std::numeric_limits<std::int64_t>::min()).kept() !=
          command().add(std::uint64_t{1} << 63U).kept());
  }

  TEST_CASE("add: a long text counts to its last byte, and with its length") {
    for (const std::size_t size : {1'023U, 1'024U, 1'025U, 100'000U}) {
      std::string text(size, 'x');
      const KeptIdentity whole = command().add(text).kept();
      CHECK(command().add(text).kept() == whole);
      CHECK(command().add(text + 'x').kept() != whole);
      text.back() = 'y';
      CHECK(command().add(text).kept() != whole);
    }
  }

  TEST_CASE("kept: the name is beside the digest, which a stream that is made up is part of") {
    CHECK(command().kept().name == "command");
    CHECK(CommandIdentity("other").kept() != command().kept());
    CHECK(CommandIdentity("other").kept().arguments == command().kept().arguments);
    CHECK(command().make_up_stream().kept() != command().kept());
    CHECK(command().make_up_stream().has_made_up_stream());
  }

  // Files hold them: a release that feeds other bytes would take each retry for another command.
  TEST_CASE("kept: a digest is what every release has made of the same arguments") {
    const std::vector<int> items{1, 2};
    const KeptIdentity identity = command()
                                      .add("text")
                                      .add(std::string(2'000, 'x'))
                                      .add(-7)
                                      .add(Timestamp{1us})
                                      .add(std::optional<int>{})
                                      .add(std::optional{3})
                                      .add_each(items)
                                      .make_up_stream()
                                      .kept();
    CHECK(hexadecimal(identity) == "dd1e44dfdcbd4313bf56e8b608226a71");
    const NewEvent event{.type = "Noted", .schema_version = 2, .data = "1", .metadata = "{}"};
    const Append request{.stream = {"note", "1"}, .expected = ExpectedVersion::any(), .events = {&event, 1}};
    CHECK(hexadecimal(identity_of(request).kept()) == "2d8f2df819b388a7341f7380a36cfaac");
    CHECK(identity_of(request).kept().name.empty());
  }
}
