// Draws occurrences as messages between participants, with the measured times as notes.
#include "scenario/mermaid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace freshet::scenario {
namespace {

// Mermaid ends a message at ';' and begins a character's number with '#'.
std::string escaped(std::string_view text) {
  std::string safe;
  for (const char letter : text) {
    if (letter == ';') {
      safe += "#59;";
    } else if (letter == '#') {
      safe += "#35;";
    } else {
      safe += letter;
    }
  }
  return safe;
}

std::string milliseconds(Duration duration) {
  return fmt::format("{:.2f} ms", static_cast<double>(duration.count()) / 1e3);
}

// Names of clients and of the script's own listeners, as they first appear. Their participants are numbered,
// because a name may hold anything.
class Names {
 public:
  void add(const std::string& name) {
    if (std::ranges::find(names_, name) == names_.end()) names_.push_back(name);
  }

  [[nodiscard]] std::string participant(std::string_view prefix, const std::string& name) const {
    const auto place = std::ranges::find(names_, name) - names_.begin();
    return fmt::format("{}{}", prefix, place);
  }

  [[nodiscard]] const std::vector<std::string>& all() const { return names_; }

 private:
  std::vector<std::string> names_;
};

class Diagram {
 public:
  explicit Diagram(const Report& report) : report_(report) {
    // The real listener is always there, and somebody who reads.
    listeners_.add("");
    for (const Occurrence& occurrence : report.timeline) {
      if (occurrence.actor == Actor::client && occurrence.kind != Kind::said) clients_.add(occurrence.client);
      listeners_.add(occurrence.model);
    }
    if (clients_.all().empty()) clients_.add("");
  }

  std::string text() {
    text_ = "sequenceDiagram\n";
    participants();
    for (const Occurrence& occurrence : report_.timeline) {
      add(occurrence);
      close_windows(occurrence);
    }
    for (const Window& window : report_.windows) {
      if (!window.closed) {
        line(fmt::format("Note over S,{}: stale from {}, still open at the end", model(""),
                         milliseconds(window.opened)));
      }
    }
    return text_;
  }

 private:
  void line(const std::string& text) { text_ += "    " + text + "\n"; }

  void participants() {
    for (const std::string& name : clients_.all()) {
      line(fmt::format("participant {} as {}", client(name), name.empty() ? "Client" : escaped("Client " + name)));
    }
    line("participant W as Write side");
    line("participant S as Event store");
    line("participant B as Bus");
    for (const std::string& name : listeners_.all()) {
      const std::string suffix = name.empty() ? "" : " " + escaped(name);
      line(fmt::format("participant {} as Listener{}", listener(name), suffix));
      line(fmt::format("participant {} as Read model{}", model(name), suffix));
    }
  }

  void add(const Occurrence& occurrence) {
    const std::string what = escaped(occurrence.what);
    const std::string reader = client(occurrence.client);
    const std::string own_listener = listener(occurrence.model);
    const std::string own_model = model(occurrence.model);
    switch (occurrence.kind) {
      case Kind::appended:
        line(fmt::format("W->>S: {}", what));
        break;
      case Kind::succeeded:
      case Kind::refused:
        line(fmt::format("W-->>{}: {}", reader, what));
        break;
      case Kind::read:
        line(fmt::format("{}-->>{}: {}{}", own_model, reader, what, occurrence.stale ? " STALE" : ""));
        break;
      case Kind::delivered:
        line(fmt::format("B->>{}: {}", own_listener, what));
        break;
      case Kind::applied:
        line(fmt::format("{}->>{}: {}", own_listener, own_model, what));
        break;
      case Kind::skipped:
      case Kind::committed:
      case Kind::crashed:
      case Kind::restarted:
        line(fmt::format("Note over {}: {}", own_listener, what));
        break;
      case Kind::said:
        line(fmt::format("Note over {}: {}", client(clients_.all().front()), what));
        return;
    }
    line(fmt::format("Note right of {}: t = {}", anchor(occurrence), milliseconds(occurrence.at)));
  }

  // Where the time of an occurrence is noted: at whoever did it.
  [[nodiscard]] std::string anchor(const Occurrence& occurrence) const {
    switch (occurrence.actor) {
      case Actor::client:
        return client(occurrence.client);
      case Actor::write_side:
        return "S";
      case Actor::bus:
        return "B";
      case Actor::listener:
        return listener(occurrence.model);
      case Actor::read_model:
        return model(occurrence.model);
    }
    return "S";
  }

  void close_windows(const Occurrence& applied) {
    if (applied.kind != Kind::applied || !applied.model.empty()) return;
    for (const Window& window : report_.windows) {
      if (window.order_id != applied.order_id || window.version != applied.version || !window.closed) continue;
      line(fmt::format("Note over S,{}: stale for {} ({} to {})", model(""), milliseconds(*window.gap()),
                       milliseconds(window.opened), milliseconds(*window.closed)));
    }
  }

  [[nodiscard]] std::string client(const std::string& name) const { return clients_.participant("C", name); }
  [[nodiscard]] std::string listener(const std::string& name) const { return listeners_.participant("L", name); }
  [[nodiscard]] std::string model(const std::string& name) const { return listeners_.participant("M", name); }

  const Report& report_;
  Names clients_;
  Names listeners_;
  std::string text_;
};

}  // namespace

std::string render_mermaid(const Report& report) {
  return Diagram{report}.text();
}

}  // namespace freshet::scenario
