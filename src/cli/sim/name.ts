import type { Flag } from '../flags.ts';
import { UsageError } from '../errors.ts';

/** Which simulated cluster; it names files. */
export const nameFlag: Flag<string> = {
  placeholder: 'name',
  help: 'Which simulated cluster; several can run beside each other.',
  initial: 'sim',
  shown: 'sim',
  parse(value) {
    if (!/^[a-z0-9][a-z0-9-]{0,40}$/.test(value))
      throw new UsageError(`must be lower-case letters, digits and -, not "${value}"`);
    return value;
  },
};

/** The flag as it must be given again, for what the user is told to run. */
export function nameArgument(name: string): string {
  return name === nameFlag.initial ? '' : ` --name ${name}`;
}
