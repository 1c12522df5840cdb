/** Ways of writing flags that kubectl's parser (spf13/pflag) takes and ours does not, rewritten to ones that both take. */
import { type AnyCommand, globalFlags } from './command.ts';
import { longName } from './flags.ts';

const isTrue = /^(1|t|true)$/i;
const isFalse = /^(0|f|false)$/i;
const dryRunModes = new Set(['none', 'client', 'server']);

export function normalizeArguments(argv: readonly string[], commands: readonly AnyCommand[]): string[] {
  const flags = [...commands.map((command) => command.flags), globalFlags].flatMap((each) => Object.entries(each));
  const switches = new Set(flags.flatMap(([key, flag]) => (flag.placeholder === undefined ? [longName(key)] : [])));
  const shorts = new Set(
    flags.flatMap(([, flag]) => (flag.placeholder !== undefined && flag.short !== undefined ? [`-${flag.short}`] : [])),
  );
  const result: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    const next = argv[index + 1];
    if (word === '--') return [...result, ...argv.slice(index)];
    const level = /^(?:-v=?|--v=)(\d+)$/.exec(word)?.[1];
    const [, name = '', value = ''] = /^(-[^=]*)=(.*)$/s.exec(word) ?? [];
    if (level !== undefined) {
      if (level !== '0') result.push('--verbose'); // -v=6: a level of log verbosity; we know two
    } else if ((word === '-v' || word === '--v') && next !== undefined && /^\d{1,2}$/.test(next)) {
      if (next !== '0') result.push('--verbose');
      index += 1;
    } else if (word === '--dry-run' && !dryRunModes.has(next ?? '')) {
      result.push('--dry-run=client'); // kubectl never takes the next word as its mode, either
    } else if (switches.has(name) && (isTrue.test(value) || isFalse.test(value))) {
      result.push(isTrue.test(value) ? name : name.replace('--', '--no-'));
    } else if (shorts.has(name)) {
      result.push(name, value); // -l=app=web, -o=yaml
    } else {
      result.push(word);
    }
  }
  return result;
}
