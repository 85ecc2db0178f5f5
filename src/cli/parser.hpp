// From words to a request: the command line's grammar. The words may be a process's arguments or a line
// of a script; parsing opens nothing and prints nothing.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "cli/request.hpp"

namespace freshet::cli {

struct Invocation {
  Settings settings;
  Request request;
};

struct HelpWanted {
  std::string text;
};

struct VersionWanted {};

// The words make no sense; `message` says why and what to do, in one line.
struct UsageError {
  std::string message;
};

struct Parsed {
  // In which form to answer, even where the words made no sense.
  Format format = Format::text;
  std::variant<Invocation, HelpWanted, VersionWanted, UsageError> outcome;
};

// Whether the words ask for an answer in JSON, however little sense the rest of them makes.
[[nodiscard]] bool asks_for_json(const std::vector<std::string>& words);

// `words` are without the program's name; `defaults` hold where the words say nothing.
[[nodiscard]] Parsed parse(const std::vector<std::string>& words, const Settings& defaults);

// As parse(), for a line of a running session: the same commands, and `bus`. An option that holds for the
// whole session, such as --db, is a UsageError; only the format can be the line's own.
[[nodiscard]] Parsed parse_line(const std::vector<std::string>& words, const Settings& session);

// What may stand behind words, for completing them.
struct NextWords {
  std::vector<std::string> words = {};  // Commands, options and values of which there are few.
  bool may_be_order_id = false;
};

// `words` is the beginning of a line, without the word that is still being typed.
[[nodiscard]] NextWords next_words(const std::vector<std::string>& words);

}  // namespace freshet::cli
