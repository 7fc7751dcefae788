/**
 * Shows what the app does, without words: a picture moves over, is visible while a ring runs out,
 * and disappears. Purely visual; the page has the same in words. Rendered by the server, outside of
 * the island, so it costs no JavaScript.
 */
export function Hero() {
  return (
    <svg class="hero" viewBox="0 0 400 132" aria-hidden="true">
      <rect class="hero-screen" x="6" y="10" width="148" height="112" rx="12" />
      <rect class="hero-screen" x="246" y="10" width="148" height="112" rx="12" />
      <path class="hero-way" d="M162 66H238" pathLength={1} />
      <g class="hero-ring">
        <circle class="hero-track" cx="320" cy="66" r="47" />
        <circle class="hero-left" cx="320" cy="66" r="47" pathLength={1} />
      </g>
      <g class="hero-print">
        <rect class="hero-paper" x="44" y="40" width="72" height="54" rx="3" />
        <path class="hero-sky" d="M49 45h62v44H49z" />
        <circle class="hero-sun" cx="95" cy="58" r="5.5" />
        <path class="hero-hill" d="M49 89V80l16-17 15 15 9-8 22 19z" />
      </g>
    </svg>
  );
}
