// A person at the window: places an order, sees the stale row and the fresh one, and meets another process.
#include <QApplication>
#include <QStatusBar>
#include <QTemporaryDir>
#include <QtTest>
#include <atomic>
#include <future>

#include "desk.hpp"
#include "window.hpp"

namespace {

// Long enough for the slowest machine; nothing waits for it where all is well.
constexpr int patience_milliseconds = 60'000;
constexpr int long_delay = 10'000;

}  // namespace

class Clicks : public QObject {
  Q_OBJECT

 private:
  // A window on a file of its own, and a hand on its widgets.
  struct Screen {
    explicit Screen(const QByteArray& content = {}) : file(with(content)) {
      QVERIFY(QTest::qWaitForWindowExposed(shown()));
    }

    // The path of a file that holds this, or of none yet.
    [[nodiscard]] std::string with(const QByteArray& content) const {
      QFile made(place.filePath("orders.db"));
      if (!content.isEmpty() && made.open(QIODevice::WriteOnly)) made.write(content);
      return made.fileName().toStdString();
    }

    QWidget* shown() {
      window.show();
      return &window;
    }
    template <typename Widget>
    [[nodiscard]] Widget& find(const char* name) {
      return *window.findChild<Widget*>(name);
    }
    void click(const char* button) { QTest::mouseClick(&find<QPushButton>(button), Qt::LeftButton); }
    void look(int choice) { find<QComboBox>("look").setCurrentIndex(choice); }
    void delay(int milliseconds) { find<QSlider>("delay").setValue(milliseconds); }
    [[nodiscard]] QString text(const char* label) { return find<QLabel>(label).text(); }
    [[nodiscard]] QString cell(int row, int column) {
      const auto* item = find<QTableWidget>("list").item(row, column);
      return item == nullptr ? QString() : item->text();
    }
    // As a row that the log is ahead of.
    [[nodiscard]] bool is_marked(int row) {
      const auto* item = find<QTableWidget>("list").item(row, 0);
      return item != nullptr && !item->toolTip().isEmpty() && cell(row, 4).contains(" of ");
    }
    // For looking at: what the screen shows now.
    void photograph(const char* name) {
      const QString folder = qEnvironmentVariable("SCREENSHOTS");
      if (!folder.isEmpty()) QVERIFY(window.grab().save(folder + "/" + name + ".png"));
    }

    QTemporaryDir place;
    const std::string file;
    desktop::Window window{file};
  };

  static void place_one(Screen& screen) {
    screen.look(1);
    screen.click("place");
    QTRY_VERIFY_WITH_TIMEOUT(screen.text("order").contains("is created, version 1"), patience_milliseconds);
    QTRY_COMPARE_WITH_TIMEOUT(screen.cell(0, 2), QString("created"), patience_milliseconds);
    screen.find<QTableWidget>("list").selectRow(0);
  }

 private slots:
  void a_placed_order_appears_in_the_list() {
    Screen screen;
    place_one(screen);
    QVERIFY(screen.text("order_freshness").startsWith("fresh"));
    QTRY_VERIFY_WITH_TIMEOUT(screen.text("list_freshness").startsWith("fresh"), patience_milliseconds);
    screen.photograph("placed");
  }

  void an_eventual_look_shows_the_stale_row_while_the_event_travels() {
    Screen screen;
    place_one(screen);
    screen.delay(long_delay);
    screen.look(0);
    screen.click("pay");
    QTRY_VERIFY_WITH_TIMEOUT(screen.text("order_freshness").startsWith("STALE: version 1 of 2"), patience_milliseconds);
    QVERIFY(screen.text("order").contains("is created"));
    QTRY_VERIFY_WITH_TIMEOUT(screen.text("list_freshness").startsWith("STALE: 1 of 2"), patience_milliseconds);
    QTRY_VERIFY_WITH_TIMEOUT(screen.is_marked(0), patience_milliseconds);
    QCOMPARE(screen.cell(0, 2), QString("created"));
    screen.photograph("stale");
  }

  void a_replay_shows_the_write_at_once() {
    Screen screen;
    place_one(screen);
    screen.delay(long_delay);
    screen.look(3);
    screen.click("pay");
    QTRY_VERIFY_WITH_TIMEOUT(screen.text("order").contains("is paid, version 2"), patience_milliseconds);
    QCOMPARE(screen.text("order_freshness"), QString("fresh, from the event log"));
    QCOMPARE(screen.cell(0, 2), QString("created"));
  }

  void a_look_at_the_version_waits_for_the_fresh_row() {
    Screen screen;
    place_one(screen);
    screen.delay(200);
    screen.click("pay");
    QTRY_VERIFY_WITH_TIMEOUT(screen.text("order").contains("is paid, version 2"), patience_milliseconds);
    QVERIFY(screen.text("order_freshness").startsWith("fresh, from the read tables, waited"));
    QTRY_COMPARE_WITH_TIMEOUT(screen.cell(0, 2), QString("paid"), patience_milliseconds);
    QVERIFY(!screen.is_marked(0));
    screen.photograph("fresh");
  }

  void a_synchronous_command_has_no_window() {
    Screen screen;
    place_one(screen);
    screen.delay(long_delay);
    screen.look(0);
    screen.find<QCheckBox>("synchronous").setChecked(true);
    screen.click("pay");
    QTRY_VERIFY_WITH_TIMEOUT(screen.text("order").contains("is paid, version 2"), patience_milliseconds);
    QVERIFY(screen.text("order_freshness").startsWith("fresh"));
  }

  void a_refusal_is_told_in_the_status_bar() {
    Screen screen;
    place_one(screen);
    screen.click("ship");
    QTRY_VERIFY_WITH_TIMEOUT(screen.window.statusBar()->currentMessage().contains("cannot ship"),
                             patience_milliseconds);
  }

  void what_the_command_line_does_to_the_file_appears_in_the_list() {
    const QString freshet = qEnvironmentVariable("FRESHET");
    if (freshet.isEmpty()) QSKIP("wants FRESHET, the command line's program");
    Screen screen;
    place_one(screen);
    QProcess command;
    command.start(freshet, {"--db", screen.place.filePath("orders.db"), "order", "pay", screen.cell(0, 0)});
    QVERIFY(command.waitForFinished(patience_milliseconds));
    QCOMPARE(command.exitCode(), 0);
    QTRY_COMPARE_WITH_TIMEOUT(screen.cell(0, 2), QString("paid"), patience_milliseconds);
  }

  void the_list_goes_on_while_a_look_waits() {
    Screen screen;
    place_one(screen);
    screen.delay(long_delay);
    screen.click("pay");
    QTRY_VERIFY_WITH_TIMEOUT(screen.is_marked(0), patience_milliseconds);
    QTRY_VERIFY_WITH_TIMEOUT(screen.text("order_freshness").startsWith("waiting"), patience_milliseconds);
    screen.photograph("looking");
    screen.delay(0);  // The look goes on in the store that is opened with it.
    QTRY_VERIFY_WITH_TIMEOUT(screen.text("order").contains("is paid, version 2"), patience_milliseconds);
  }

  void an_empty_store_says_what_to_do() {
    Screen screen;
    QTRY_COMPARE_WITH_TIMEOUT(screen.text("list_freshness"), QString("fresh: there are no orders yet; place one"),
                              patience_milliseconds);
    screen.photograph("empty");
  }

  void a_file_that_is_no_store_is_told_in_place_of_the_list() {
    Screen screen("no store at all");
    QTRY_VERIFY_WITH_TIMEOUT(screen.text("list_freshness").startsWith("trouble: "), patience_milliseconds);
    screen.click("place");
    QTRY_VERIFY_WITH_TIMEOUT(screen.window.statusBar()->currentMessage().startsWith("trouble: "),
                             patience_milliseconds);
    screen.photograph("trouble");
  }

  // The desk alone: between the opening and the listening something happens, and nothing afterwards.
  void what_happens_while_the_store_opens_is_in_the_list() {
    const QTemporaryDir place;
    std::promise<std::size_t> rows;
    std::atomic<bool> listed = false;
    const desktop::Desk desk(
        place.filePath("orders.db").toStdString(), [](const std::function<void()>& answer) { answer(); },
        {.on_list =
             [&](const desktop::List& list) {
               if (!listed.exchange(true)) rows.set_value(list.answer.value.orders.size());
             },
         .on_command = [](const std::string&) {},
         .on_looking = [](const std::string&) {},
         .on_order = [](const desktop::OrderAnswer&) {},
         .on_problem = [](const std::string&) {},
         .on_opened =
             [](freshet::Store& store) {
               freshet::orders::Orders orders(store);
               const auto placed = orders.execute("7", {.action = desktop::an_order("ada"), .at = {}}, {});
               if (std::holds_alternative<freshet::orders::Done>(placed)) store.drain();
             }});
    auto found = rows.get_future();
    QVERIFY(found.wait_for(std::chrono::milliseconds{patience_milliseconds}) == std::future_status::ready);
    QCOMPARE(found.get(), std::size_t{1});
  }

  void the_window_closes_while_events_travel() {
    Screen screen;
    place_one(screen);
    screen.delay(long_delay);
    screen.click("pay");
  }
};

QTEST_MAIN(Clicks)
#include "clicks.moc"
