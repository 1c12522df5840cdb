/** Go's regular expressions in ours: the syntax is nearly the same. */
const compiled = new Map<string, RegExp | Error>();

/** The pattern compiled; an Error when it is none. Compiled once. */
export function goPattern(source: string): RegExp | Error {
  let pattern = compiled.get(source);
  if (!pattern) compiled.set(source, (pattern = compile(source)));
  return pattern;
}

function compile(source: string): RegExp | Error {
  const [, modes = '', body = ''] = /^(?:\(\?([imsU]+)\))?(.*)$/s.exec(source) ?? [];
  const flags = [...modes].filter((mode) => 'ims'.includes(mode)).join('');
  const text = body.replaceAll('\\A', '^').replaceAll('\\z', '$').replaceAll('(?P<', '(?<');
  try {
    return new RegExp(text, `${flags}u`);
  } catch {
    // Escapes of characters that need none are an error only with the flag u.
    try {
      return new RegExp(text, flags);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}
