import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Prepared } from "../lib/image/prepared.ts";

/**
 * Paints a picture's thumbnail, and plays it if it is animated; `label` is its alternative text.
 * The canvas itself has no border or padding, so that its box has the picture's shape whatever
 * limits its sides.
 */
export function Thumbnail({ prepared, label }: { prepared: Prepared; label: string }) {
  const { thumbnail: bitmap, motion } = prepared;
  const ref = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const canvas = ref.current;
    // A closed bitmap has no size and can't be painted.
    if (canvas === null || bitmap.width === 0) return;
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    return () => {
      canvas.width = 0;
      canvas.height = 0;
    };
  }, [bitmap]);
  useEffect(() => {
    const canvas = ref.current;
    if (canvas === null || motion !== "kept") return;
    const showing = new AbortController();
    import("../lib/pages/preview.ts")
      .then(({ playPreview }) => playPreview(canvas, prepared, showing.signal))
      .catch(() => {
        // The server does not answer: the first frame stays.
      });
    return () => showing.abort();
  }, [bitmap]);
  return (
    <div class="thumbnail">
      <canvas role="img" aria-label={label} ref={ref} />
    </div>
  );
}
