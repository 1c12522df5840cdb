import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { folderOf, type Program } from './versions.ts';
import { cgroupFolders } from './cgroups.ts';

export type Missing = { readonly available: false; readonly because: string; readonly get: string };
export type Found<T> = ({ readonly available: true } & T) | Missing;

const controlPlanePrograms = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kwok',
  'kubectl',
  'helm',
] as const;
const nodePrograms = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
  'kubelet',
  'kube-proxy',
  'helm',
  'app',
] as const;

type Paths<P extends Program> = { readonly paths: Readonly<Record<P, string>> };
export type ControlPlaneBinaries = Paths<(typeof controlPlanePrograms)[number]>;
export type RealNodesBinaries = Paths<(typeof nodePrograms)[number]>;

export const debianPackages = [
  'containerd',
  'runc',
  'containernetworking-plugins',
  'iproute2',
  'iptables',
  'conntrack',
  'openssl',
  'util-linux',
];
const nodeTools = ['containerd', 'ctr', 'runc', 'ip', 'iptables', 'conntrack', 'openssl', 'nsenter'];

/** Where Debian's containernetworking-plugins lie. */
export const cniFolder = '/usr/lib/cni';

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function inPath(tool: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => folder && executable(join(folder, tool)));
}

/** What controller-runtime's envtest keeps in KUBEBUILDER_ASSETS; nothing else is taken from there. */
export const kubebuilderPrograms: readonly Program[] = ['etcd', 'kube-apiserver', 'kubectl'];

/** The program in KUBEBUILDER_ASSETS, if that is set and has it. */
export function kubebuilderProgram(program: Program): string | undefined {
  const folder = kubebuilderPrograms.includes(program) ? process.env.KUBEBUILDER_ASSETS : undefined;
  const path = folder ? join(folder, program) : undefined;
  return path && executable(path) ? path : undefined;
}

/** Full path of a program of the beds. @throws Error naming the command that builds it */
export function programPath(program: Program): string {
  const path = kubebuilderProgram(program) ?? join(folderOf(program), program);
  if (!existsSync(path)) throw new Error(`${program} is not built; get it with: npm run beds`);
  return path;
}

function pathsOf<P extends Program>(programs: readonly P[]): Found<Paths<P>> {
  const missing = programs.filter((program) => !kubebuilderProgram(program) && !executable(join(folderOf(program), program)));
  if (missing.length > 0) {
    const given = programs.filter((program) => kubebuilderProgram(program));
    const but = given.length > 0 ? `KUBEBUILDER_ASSETS gives ${given.join(', ')}, but ` : '';
    return { available: false, because: `${but}${missing.join(', ')} not built`, get: 'npm run beds' };
  }
  const paths = Object.fromEntries(programs.map((program) => [program, programPath(program)]));
  return { available: true, paths: paths as Record<P, string> };
}

function hasCapabilities(): boolean {
  const [, mask = '0'] = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  const [netAdmin, sysAdmin] = [1n << 12n, 1n << 21n];
  return (BigInt(`0x${mask}`) & (netAdmin | sysAdmin)) === (netAdmin | sysAdmin);
}

function cgroupsUsable(): boolean {
  const folders = cgroupFolders('drover-check');
  try {
    for (const folder of folders) {
      mkdirSync(folder, { recursive: true });
      rmdirSync(folder);
    }
    return folders.length > 0;
  } catch {
    return false;
  }
}

function machineFor(): Missing | undefined {
  const elsewhere = 'run it on a Linux machine as root, outside an unprivileged container';
  const no = (because: string, get: string): Missing => ({ available: false, because, get });
  if (process.platform !== 'linux') return no('needs Linux', elsewhere);
  if (process.getuid?.() !== 0) return no('needs root', 'sudo -E npm test');
  if (!hasCapabilities()) return no('needs the capabilities NET_ADMIN and SYS_ADMIN', elsewhere);
  if (!cgroupsUsable()) return no('cannot make cgroups', elsewhere);
  const tools = nodeTools.filter((tool) => !inPath(tool));
  const plugins = ['bridge', 'host-local', 'loopback'].filter((plugin) => !executable(join(cniFolder, plugin)));
  if (tools.length + plugins.length === 0) return undefined;
  return no(
    `missing: ${[...tools, ...plugins.map((name) => `${cniFolder}/${name}`)].join(', ')}`,
    `apt-get install -y ${debianPackages.join(' ')}`,
  );
}

/** Which test beds can run here, and else why not and the command that gets them. Looks only; builds nothing. */
export function findBeds(): {
  simulated: Found<Paths<'kubectl-1.32'>>;
  controlPlane: Found<ControlPlaneBinaries>;
  realNodes: Found<RealNodesBinaries>;
} {
  const linux = process.platform === 'linux';
  return {
    simulated: pathsOf(['kubectl-1.32']),
    controlPlane: linux
      ? pathsOf(controlPlanePrograms)
      : { available: false, because: 'needs Linux (/proc)', get: 'a Linux machine' },
    realNodes: machineFor() ?? pathsOf(nodePrograms),
  };
}
