// Edits lines with libedit.
#include "cli/line_editor.hpp"

#include <fmt/format.h>
#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cwchar>

#include "cli/history.hpp"

namespace freshet::cli {
namespace {

// A signal may be handled on another thread, and then it does not end the wait for a key.
constexpr int interruption_check_ms = 100;

// More than a person reads.
constexpr std::size_t shown_max = 100;

// libedit turns bytes into letters as the locale says, and could make nothing of letters outside ASCII in "C".
void use_utf8() {
  ::setlocale(LC_CTYPE, "");
  if (std::string_view{::nl_langinfo(CODESET)} != "UTF-8") ::setlocale(LC_CTYPE, "C.UTF-8");
}

// What all words begin with; there is at least one.
std::string common_start(const std::vector<std::string>& words) {
  std::string common = words.front();
  for (const std::string& word : words) {
    common.erase(std::ranges::mismatch(common, word).in1, common.end());
  }
  return common;
}

}  // namespace

class LineEditor::Impl {
 public:
  Impl(Complete complete, std::function<bool()> interrupted)
      : complete_(std::move(complete)), interrupted_(std::move(interrupted)) {
    use_utf8();
    editor_ = ::el_init("freshet", stdin, stdout, stderr);
    history_ = ::history_init();
    HistEvent event{};
    ::history(history_, &event, H_SETSIZE, static_cast<int>(History::lines_max));
    ::history(history_, &event, H_SETUNIQUE, 1);
    ::el_set(editor_, EL_CLIENTDATA, this);
    ::el_set(editor_, EL_PROMPT, prompt_of);
    ::el_set(editor_, EL_EDITOR, "emacs");
    ::el_set(editor_, EL_HIST, ::history, history_);
    ::el_set(editor_, EL_GETCFN, read_letter);
    // The narrow call would leak copies of both texts.
    ::el_wset(editor_, EL_ADDFN, L"complete", L"Complete the word", complete_word);
    ::el_set(editor_, EL_BIND, "^I", "complete", nullptr);
    ::el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    ::el_source(editor_, nullptr);  // The user's own ~/.editrc.
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    ::history_end(history_);
    ::el_end(editor_);
  }

  std::optional<std::string> read(const std::string& prompt) {
    prompt_ = prompt;
    ::el_resize(editor_);                // The window may have changed while a command ran.
    ::el_set(editor_, EL_PREP_TERM, 1);  // Before the prompt, so that a key that answers it is not the system's.
    int length = 0;
    const char* const text = ::el_gets(editor_, &length);
    if (text == nullptr || length <= 0) return std::nullopt;
    std::string line{text, static_cast<std::size_t>(length)};
    if (line.ends_with('\n')) line.pop_back();
    return line;
  }

  void remember(const std::string& line) {
    HistEvent event{};
    ::history(history_, &event, H_ENTER, line.c_str());
  }

 private:
  static Impl& of(EditLine* editor) {
    void* self = nullptr;
    ::el_get(editor, EL_CLIENTDATA, &self);
    return *static_cast<Impl*>(self);
  }

  static char* prompt_of(EditLine* editor) { return of(editor).prompt_.data(); }

  // Returns how many letters were read: 1, 0 at the end of the input, -1 if it was interrupted.
  static int read_letter(EditLine* editor, wchar_t* letter) {
    std::mbstate_t state{};
    while (true) {
      char byte = 0;
      const int count = of(editor).read_byte(byte);
      if (count <= 0) return count;
      const std::size_t length = std::mbrtowc(letter, &byte, 1, &state);
      if (length == static_cast<std::size_t>(-2)) continue;  // The letter has more bytes.
      if (length != static_cast<std::size_t>(-1)) return 1;
      state = {};  // It was no letter; go on with the next one.
    }
  }

  int read_byte(char& byte) {
    while (true) {
      pollfd waiting{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
      const int ready = ::poll(&waiting, 1, interruption_check_ms);
      if (interrupted_()) return -1;
      if (ready <= 0) continue;
      const ssize_t count = ::read(STDIN_FILENO, &byte, 1);
      if (count >= 0 || errno != EINTR) return static_cast<int>(count);
    }
  }

  static unsigned char complete_word(EditLine* editor, int /*key*/) {
    const LineInfo* info = ::el_line(editor);
    const std::string_view line{info->buffer, static_cast<std::size_t>(info->cursor - info->buffer)};
    const std::size_t begun = line.size() - (line.find_last_of(' ') + 1);
    const std::vector<std::string> words = of(editor).complete_(line);
    if (words.empty()) return CC_REFRESH_BEEP;

    std::string rest = common_start(words).substr(begun);
    if (words.size() == 1) rest += ' ';
    if (!rest.empty()) return ::el_insertstr(editor, rest.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
    show(words);
    return CC_REDISPLAY;
  }

  static void show(const std::vector<std::string>& words) {
    std::string text = "\n";
    for (std::size_t index = 0; index < std::min(words.size(), shown_max); ++index) text += words[index] + "  ";
    if (words.size() > shown_max) text += fmt::format("and {} more", words.size() - shown_max);
    std::fputs((text + "\n").c_str(), stdout);
    std::fflush(stdout);
  }

  Complete complete_;
  std::function<bool()> interrupted_;
  std::string prompt_;
  EditLine* editor_;
  ::History* history_;
};

LineEditor::LineEditor(Complete complete, std::function<bool()> interrupted)
    : impl_(std::make_unique<Impl>(std::move(complete), std::move(interrupted))) {}

LineEditor::~LineEditor() = default;

std::optional<std::string> LineEditor::read(const std::string& prompt) {
  return impl_->read(prompt);
}

void LineEditor::remember(const std::string& line) {
  impl_->remember(line);
}

}  // namespace freshet::cli
