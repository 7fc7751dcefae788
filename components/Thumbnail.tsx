import { useLayoutEffect, useRef } from "preact/hooks";

/**
 * Paints a bitmap that the page keeps; `label` is its alternative text. The canvas itself has no border or padding, so that
 * its box has the picture's shape whatever limits its sides.
 */
export function Thumbnail({ bitmap, label }: { bitmap: ImageBitmap; label: string }) {
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
  return (
    <div class="thumbnail">
      <canvas role="img" aria-label={label} ref={ref} />
    </div>
  );
}
