import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";

/** Fields that accept pasted content; a checkbox or a read-only link does not. */
const WRITABLE = "textarea, [contenteditable], " +
  "input:not([readonly], [type=checkbox], [type=radio], [type=file])";

/**
 * Accepts pictures that are pasted, or dropped anywhere on the page. Content pasted into a field
 * stays in the field: spreadsheets add a picture of the cells to their text. Returns true while
 * something is dragged over the page.
 */
export function useFiles(choose: (files: File[]) => void): boolean {
  const dragging = useSignal(false);
  const latest = useRef(choose);
  latest.current = choose;
  useEffect(() => {
    const listening = new AbortController();
    const { signal } = listening;
    const take = (event: Event, data: DataTransfer | null) => {
      const files = [...data?.files ?? []];
      if (files.length === 0) return;
      event.preventDefault();
      latest.current(files);
    };
    document.addEventListener("paste", (event) => {
      const { target } = event;
      if (target instanceof Element && target.closest(WRITABLE) !== null) return;
      take(event, event.clipboardData);
    }, { signal });
    document.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      dragging.value = true;
    }, { signal });
    document.addEventListener("dragleave", (event) => {
      // Only when the pointer leaves the page itself.
      if (event.relatedTarget === null) dragging.value = false;
    }, { signal });
    document.addEventListener("drop", (event) => {
      dragging.value = false;
      take(event, event.dataTransfer);
    }, { signal });
    return () => listening.abort();
  }, []);
  return dragging.value;
}
