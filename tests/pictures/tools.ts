/**
 * Third-party programs that may be installed: encoders and readers.
 *
 * @module
 */

/** None of them has a reason to take longer, for one file or fifty. */
const PATIENCE_MS = 60_000;

const known = new Map<string, Promise<boolean>>();

/** Whether a program can be started. Checked once per process. */
export function hasTool(name: string): Promise<boolean> {
  const answer = known.get(name) ?? canStart(name);
  known.set(name, answer);
  return answer;
}

async function canStart(name: string): Promise<boolean> {
  try {
    // Whatever its exit code is, it exists.
    await command(name, ["--version"]).output();
    return true;
  } catch {
    return false;
  }
}

/**
 * The output of a program, both streams. Does not throw for its exit code: readers complain about
 * what they read.
 */
export async function run(name: string, args: readonly string[]): Promise<string> {
  const { stdout } = await command(name, args).output();
  return new TextDecoder().decode(stdout);
}

/** Whether a program succeeded. */
export async function works(name: string, args: readonly string[]): Promise<boolean> {
  const { success } = await command(name, args).output();
  return success;
}

function command(name: string, args: readonly string[]): Deno.Command {
  return new Deno.Command(name, {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
}
