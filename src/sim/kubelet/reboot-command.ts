/** Which pods reboot the machine that they run on: those that may reach it, and that say so. */
import type { Container, Pod } from '../kubernetes.ts';

/** As a word of its own: "reboot", "/sbin/reboot", "systemctl" "reboot"; "shutdown" with -r or /r. */
const names: ReadonlySet<string> = new Set(['reboot', 'shutdown', 'shutdown.exe']);
/** As a command of a script. */
const inScript = /(^|[;&|(\n]\s*)(\S*\/)?(systemctl\s+reboot|reboot|shutdown(\.exe)?\s+[-/]r)\b/;

function says({ command = [], args = [] }: Container): boolean {
  const words = [...command, ...args];
  return words.some((word, index) => {
    if (word.includes(' ')) return inScript.test(word);
    const name = word.slice(word.lastIndexOf('/') + 1);
    if (!names.has(name)) return false;
    return name === 'reboot' || words.slice(index + 1).some((each) => each === '-r' || each === '/r');
  });
}

/** Privileged, with the host's processes in sight; or a HostProcess pod of Windows, which is the host. */
export function commandsReboot({ spec }: Pod): boolean {
  const isHost = spec.securityContext?.windowsOptions?.hostProcess === true;
  const reaches = ({ securityContext }: Container) => isHost || (spec.hostPID === true && securityContext?.privileged === true);
  return spec.containers.some((each) => reaches(each) && says(each));
}
