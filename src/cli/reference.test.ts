import { describe, expect, it } from 'vitest';
import { commands } from './commands.ts';
import { exitCode } from './errors.ts';
import { longName } from './flags.ts';
import { describeCli } from './reference.ts';

const page = describeCli();

describe('describeCli', () => {
  it.each(commands.map((command) => [command.name, command] as const))(
    'describes %s with all of its flags',
    (name, { flags }) => {
      const [, section = ''] = page.split(`## drover ${name}\n`);
      const own = section.split('\n## ')[0] ?? '';
      for (const [key, flag] of Object.entries(flags))
        expect(own).toContain(flag.initial === true ? longName(key).replace('--', '--no-') : longName(key));
    },
  );

  it('explains every exit code', () => {
    for (const code of Object.values(exitCode)) expect(page).toContain(`\n| ${code} | `);
  });
});
