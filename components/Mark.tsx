/** The logo: a countdown ring, three quarters left, around a picture's horizon. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <circle class="mark-track" cx="16" cy="16" r="13" />
      <path class="mark-left" d="M16 3a13 13 0 1 1-13 13" />
      <path class="mark-hill" d="M8.5 20.5 13.5 14l3.5 4 2.5-2.5 4 5z" />
    </svg>
  );
}
