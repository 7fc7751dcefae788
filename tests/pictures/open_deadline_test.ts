import { OpenDeadline, PeerDeadline } from "../../lib/pictures/open_deadline.ts";
import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeTime } from "../support/fake_time.ts";

const RULES = { ...DEFAULT_RULES, seconds: 5 };

/** The deadline of an owner, whose viewer answers until a test changes that. */
function start() {
  const overdue: number[] = [];
  const peer = { answers: true };
  const deadline = new OpenDeadline(() => peer.answers, (n) => void overdue.push(n));
  return { deadline, overdue, peer };
}

Deno.test("an owner waits for the first frame, then for the time and a report", async () => {
  using time = new FakeTime();
  const { deadline, overdue } = start();
  deadline.opened(3, RULES);
  await time.advance(29_999);
  deadline.shown(3, RULES);
  await time.advance(14_999);
  assertEquals(overdue, []);
  await time.advance(1);
  assertEquals(overdue, [3]);
});

Deno.test("granted time counts from the first frame, not from the grant", async () => {
  using time = new FakeTime();
  const { deadline, overdue } = start();
  deadline.shown(0, RULES);
  await time.advance(4_000);
  deadline.extended(0, { ...RULES, seconds: 15 });
  await time.advance(20_999);
  assertEquals(overdue, []);
  await time.advance(1);
  assertEquals(overdue, [0]);
});

Deno.test("without a time limit, and once it is closed, nothing is overdue", async () => {
  using time = new FakeTime();
  const { deadline, overdue } = start();
  deadline.shown(0, { ...RULES, seconds: 0 });
  await time.advance(86_400_000);
  deadline.opened(0, RULES);
  deadline.closed();
  await time.advance(86_400_000);
  assertEquals(overdue, []);
});

Deno.test("while the viewer does not answer, their report may be on its way", async () => {
  using time = new FakeTime();
  const { deadline, overdue, peer } = start();
  peer.answers = false;
  deadline.opened(0, RULES);
  await time.advance(35_000);
  peer.answers = true;
  await time.advance(4_999);
  assertEquals(overdue, []);
  await time.advance(1);
  assertEquals(overdue, [0]);
});

Deno.test("a peer's deadline passes once, and a later one replaces it", async () => {
  using time = new FakeTime();
  const passed: string[] = [];
  const deadline = new PeerDeadline(() => true);
  deadline.set(1_000, () => passed.push("first"));
  deadline.set(2_000, () => passed.push("second"));
  await time.advance(10_000);
  assertEquals(passed, ["second"]);
});
