// What ThreadSanitizer must not report: races inside the lock-free queue, whose stand-alone fences it cannot
// model. Linked into test programs of ThreadSanitizer builds only. Races beside the queue are still reported.
// Visible, because the sanitizer's own library calls it.
extern "C" [[gnu::visibility("default")]] const char* __tsan_default_suppressions();

extern "C" const char* __tsan_default_suppressions() {
  return "race:moodycamel::\n";
}
