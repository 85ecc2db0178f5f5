// From words to steps.
#include "scenario/steps.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/suggest.hpp"
#include "base/time_text.hpp"
#include "orders/order.hpp"

namespace freshet::scenario {
namespace {

using Words = std::vector<std::string>;
using Action = decltype(Step::action);

std::optional<Rule> parse_rule(const std::string& text) {
  if (text == "adds") return Rule::adds;
  if (text == "upserts") return Rule::upserts;
  if (text == "upserts-newer") return Rule::upserts_newer;
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(const CommandLine& command_line) : command_line_(command_line) {}

  Step read(const ScriptLine& line) {
    try {
      return {line.number, action(line)};
    } catch (const BadWords& bad) {
      throw ScriptError(line.number, bad.what());
    }
  }

 private:
  using Read = Action (Reader::*)(const ScriptLine&);

  static const std::map<std::string, Read>& own_words() {
    static const std::map<std::string, Read> words{{"ask", &Reader::ask},       {"begin", &Reader::begin},
                                                   {"bus", &Reader::bus},       {"costs", &Reader::costs},
                                                   {"crash", &Reader::crash},   {"echo", &Reader::echo},
                                                   {"sleep", &Reader::sleep},   {"expect", &Reader::expect},
                                                   {"listen", &Reader::listen}, {"restart", &Reader::restart}};
    return words;
  }

  Action action(const ScriptLine& line) {
    const std::string& word = line.words.front();
    const Words groups = command_line_.groups();
    if (std::ranges::find(groups, word) != groups.end()) {
      return Invoke{line.client, command_line_.command(line.words)};
    }
    const auto own = own_words().find(word);
    if (own == own_words().end()) throw BadWords(unknown(word, groups));
    if (!line.client.empty()) throw BadWords(fmt::format("a client gives commands, and '{}' is none", word));
    return (this->*own->second)(line);
  }

  static std::string unknown(const std::string& word, Words known) {
    for (const auto& [own, read] : own_words()) known.push_back(own);
    known.emplace_back("client");
    if (const auto close = nearest(word, known)) {
      return fmt::format("unknown word '{}': did you mean '{}'?", word, *close);
    }
    return fmt::format("unknown word '{}': a line begins with one of {}", word, fmt::join(known, ", "));
  }

  static void check_words(const ScriptLine& line, std::size_t min, std::size_t max, const char* form) {
    if (line.words.size() < min || line.words.size() > max) {
      throw BadWords(fmt::format("'{}' is written '{}'", line.words.front(), form));
    }
  }

  Action bus(const ScriptLine& line) {
    Words options{line.words.begin() + 1, line.words.end()};
    if (options.empty()) throw BadWords("'bus' needs an option such as --delay 50ms");
    static_cast<void>(command_line_.bus(options, {}));
    return SetBus{[&command_line = command_line_, options = std::move(options)](const BusOptions& current) {
      return command_line.bus(options, current);
    }};
  }

  Action sleep(const ScriptLine& line) {
    check_words(line, 2, 2, "sleep DURATION");
    const auto duration = parse_duration(line.words[1]);
    if (!duration) throw BadWords(fmt::format("bad duration '{}': write one such as 50ms or 1.5s", line.words[1]));
    return Sleep{*duration};
  }

  Action echo(const ScriptLine& line) {
    std::string text = line.rest;
    const bool is_quoted = text.size() > 1 && text.front() == text.back() && (text[0] == '"' || text[0] == '\'');
    if (is_quoted) text = text.substr(1, text.size() - 2);
    return Say{std::move(text)};
  }

  Action restart(const ScriptLine& line) {
    check_words(line, 1, 1, "restart");
    return Restart{};
  }

  Action crash(const ScriptLine& line) {
    constexpr const char* form = "crash projector [before-commit]";
    check_words(line, 2, 3, form);
    const bool is_late = line.words.size() == 3;
    if (line.words[1] != "projector" || (is_late && line.words[2] != "before-commit")) {
      throw BadWords(fmt::format("'crash' is written '{}'", form));
    }
    return Crash{is_late ? CrashPoint::before_offsets : CrashPoint::now};
  }

  Action begin(const ScriptLine& line) {
    check_words(line, 1, 1, "begin");
    return Begin{};
  }

  Action costs(const ScriptLine& line) {
    check_words(line, 1, 1, "costs");
    return ShowCosts{};
  }

  Action expect(const ScriptLine& line) {
    check_words(line, 2, script_lines_max, "expect FIELD=VALUE ...");
    Expect expect;
    for (std::size_t index = 1; index < line.words.size(); ++index) {
      auto condition = parse_condition(line.words[index]);
      if (!condition) {
        throw BadWords(
            fmt::format("bad expectation '{}': write FIELD=VALUE, FIELD!=VALUE, FIELD>=NUMBER or FIELD<=NUMBER",
                        line.words[index]));
      }
      expect.conditions.push_back(*std::move(condition));
    }
    return expect;
  }

  Action listen(const ScriptLine& line) {
    check_words(line, 3, 3, "listen NAME adds|upserts|upserts-newer");
    const std::string& name = line.words[1];
    const auto rule = parse_rule(line.words[2]);
    if (!rule) throw BadWords(fmt::format("bad rule '{}': there are adds, upserts and upserts-newer", line.words[2]));
    // The name is that of its consumer group as well, and the real one is called that.
    if (name.empty() || name == "projector" || std::ranges::find(listeners_, name) != listeners_.end()) {
      throw BadWords(fmt::format("the name '{}' is taken: give the listener another one", name));
    }
    listeners_.push_back(name);
    return Listen{name, *rule};
  }

  Action ask(const ScriptLine& line) {
    constexpr const char* form = "ask NAME ORDER [--deliveries N]";
    const Words& words = line.words;
    check_words(line, 3, 5, form);
    if (words.size() == 4) throw BadWords(fmt::format("'ask' is written '{}'", form));
    Ask ask{.name = words[1], .order_id = words[2]};
    if (std::ranges::find(listeners_, ask.name) == listeners_.end()) throw BadWords(unknown_listener(ask.name));
    if (words.size() == 5) ask.deliveries = read_deliveries(words[3], words[4]);
    return ask;
  }

  [[nodiscard]] std::string unknown_listener(const std::string& name) const {
    if (const auto close = nearest(name, listeners_)) {
      return fmt::format("there is no listener '{}': did you mean '{}'?", name, *close);
    }
    return fmt::format("there is no listener '{}': make one with 'listen {} RULE'", name, name);
  }

  static int read_deliveries(const std::string& option, const std::string& text) {
    if (option != "--deliveries")
      throw BadWords(fmt::format("unknown option '{}': did you mean '--deliveries'?", option));
    int count = 0;
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, count);
    if (result.ec != std::errc{} || result.ptr != end || count < 1) {
      throw BadWords(fmt::format("bad value '{}' for --deliveries: expected a whole number from 1", text));
    }
    return count;
  }

  const CommandLine& command_line_;
  Words listeners_;
};

}  // namespace

std::vector<Step> understand(std::string_view script, const CommandLine& command_line) {
  Reader reader{command_line};
  std::vector<Step> steps;
  for (const ScriptLine& line : read_script(script)) steps.push_back(reader.read(line));
  return steps;
}

}  // namespace freshet::scenario
