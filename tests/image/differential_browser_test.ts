/**
 * Pictures of every kind, made by third-party encoders, through the product: what Chromium shows in
 * an `<img>` is accepted, looks the same to the viewer, and reveals nothing to third-party metadata
 * readers.
 *
 * @module
 */
import { tell } from "../../lib/ops/log.ts";
import { Bench, BenchSite, sentOf } from "../pictures/bench.ts";
import { makePictures } from "../pictures/make.ts";
import { findReaders, readLeft, type SentFile } from "../pictures/readers.ts";
import { faultsOf, type Row, rowOf, rowText } from "../pictures/table.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("what <img> shows is accepted, looks the same, and reveals nothing", async () => {
  const { pictures, missing } = await makePictures();
  const readers = await findReaders();
  const without = [...missing, ...readers.missing];
  if (without.length > 0) tell(`Not installed, so less is tried: ${without.join(", ")}`);
  await using site = await BenchSite.start();
  await using bench = new Bench(site);
  const rows: Row[] = [];
  const sent: (SentFile | null)[] = [];
  for (const picture of pictures) {
    const finding = await bench.look(picture);
    rows.push(rowOf(picture.name, finding));
    sent.push(sentOf(finding));
  }
  const left = await readLeft(sent.filter((each) => each !== null));
  const done = rows.map((row, i) => sent[i] === null ? row : { ...row, left: left.shift() ?? [] });
  const wrong = done.filter((row) => faultsOf(row).length > 0);
  assertEquals(wrong.map(rowText), [], `${wrong.length} of ${rows.length}`);
});
