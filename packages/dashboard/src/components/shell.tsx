import type { ComponentChildren } from 'preact';
import { hrefOf, type Page } from '../router/page.ts';
import { location } from '../router/router.ts';
import { isStreamLive, logOut, status } from '../state/app-state.ts';
import { usePolled } from '../state/use-polled.ts';
import { ConnectionBanner } from './connection-banner.tsx';
import { Icon, type IconName } from './icon.tsx';
import { Logo } from './logo.tsx';
import { ThemeToggle } from './theme-toggle.tsx';

interface NavigationItem {
  readonly page: Page;
  readonly icon: IconName;
  readonly label: string;
  /** For the bar of a telephone. */
  readonly shortLabel: string;
  /** Pages under this one. */
  readonly covers: readonly Page['name'][];
}

const NAVIGATION: readonly NavigationItem[] = [
  {
    page: { name: 'services' },
    icon: 'services',
    label: 'Services',
    shortLabel: 'Services',
    covers: ['services', 'service'],
  },
  {
    page: { name: 'instances' },
    icon: 'instances',
    label: 'Instances',
    shortLabel: 'Instances',
    covers: ['instances'],
  },
  {
    page: { name: 'certificates' },
    icon: 'certificates',
    label: 'Certificates',
    shortLabel: 'Certs',
    covers: ['certificates'],
  },
  {
    page: { name: 'configuration' },
    icon: 'configuration',
    label: 'Configuration',
    shortLabel: 'Config',
    covers: ['configuration', 'object'],
  },
  { page: { name: 'about' }, icon: 'about', label: 'About', shortLabel: 'About', covers: ['about'] },
];

/** What stands around every page: the navigation, the state of the connection, the theme. */
export function Shell({ children }: { readonly children: ComponentChildren }) {
  // Asked for on every page, so that a control plane that is gone is noticed wherever one is.
  const control = usePolled(status);
  const skip = (): void => document.querySelector<HTMLElement>('#main')?.focus();
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={skip}>
        Skip to the content
      </button>
      <header class="side">
        <a class="brand" href={hrefOf({ name: 'services' })}>
          <Logo />
          <span class="brand-name">Heddle</span>
        </a>
        <nav aria-label="Pages">
          <ul class="nav">
            {NAVIGATION.map((item) => (
              <li key={item.label}>
                <NavigationLink item={item} />
              </li>
            ))}
          </ul>
        </nav>
        <div class="side-foot">
          <p class="pulse">
            <span class={isStreamLive.value ? 'pulse-dot live' : 'pulse-dot'} />
            <span>{isStreamLive.value ? 'Live' : 'Waiting'}</span>
            <span class="pulse-version">{control === null ? '' : `v${control.version}`}</span>
          </p>
          <div class="side-tools">
            <ThemeToggle />
            <button type="button" class="tool" onClick={() => void logOut()}>
              <Icon name="leave" />
              <span class="tool-label">Log out</span>
            </button>
          </div>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <ConnectionBanner />
        {children}
      </main>
    </div>
  );
}

function NavigationLink({ item }: { readonly item: NavigationItem }) {
  const isCurrent = item.covers.includes(location.value.page.name);
  return (
    <a class="nav-link" href={hrefOf(item.page)} {...(isCurrent ? { 'aria-current': 'page' } : {})}>
      <Icon name={item.icon} />
      <span class="nav-label">{item.label}</span>
      <span class="nav-short" aria-hidden="true">
        {item.shortLabel}
      </span>
    </a>
  );
}
