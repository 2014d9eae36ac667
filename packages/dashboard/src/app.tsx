import { useEffect, useRef } from 'preact/hooks';
import { ConnectionBanner } from './components/connection-banner.tsx';
import { ErrorBoundary } from './components/error-boundary.tsx';
import { Logo } from './components/logo.tsx';
import { Shell } from './components/shell.tsx';
import { AboutPage } from './pages/about-page.tsx';
import { CertificatesPage } from './pages/certificates-page.tsx';
import { ConfigurationPage } from './pages/configuration-page.tsx';
import { InstancesPage } from './pages/instances-page.tsx';
import { LoginPage } from './pages/login-page.tsx';
import { NotFoundPage } from './pages/not-found-page.tsx';
import { ObjectPage } from './pages/object-page.tsx';
import { ServicePage } from './pages/service-page.tsx';
import { ServicesPage } from './pages/services-page.tsx';
import { hrefOf, type Page } from './router/page.ts';
import { location } from './router/router.ts';
import { session } from './state/app-state.ts';
import { assertNever } from './platform/assert-never.ts';

/** The whole dashboard. */
export function App() {
  const current = session.value;
  switch (current.name) {
    case 'checking':
      return <WaitingPage />;
    case 'signed-out':
      return <LoginPage notice={current.notice} />;
    case 'signed-in':
      return (
        <Shell>
          <CurrentPage />
        </Shell>
      );
    default:
      return assertNever(current);
  }
}

function WaitingPage() {
  return (
    <main class="waiting" aria-busy="true">
      <ConnectionBanner />
      <Logo size={56} />
      <p>Looking for the control plane …</p>
    </main>
  );
}

function CurrentPage() {
  const { page } = location.value;
  const address = hrefOf(page);
  const previous = useRef(address);
  useEffect(() => {
    document.title = `${titleOf(page)} · Heddle`;
    if (previous.current === address) return;
    previous.current = address;
    // A new page begins at its top, and a screen reader reads its heading.
    window.scrollTo(0, 0);
    document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
  }, [address]);
  return <ErrorBoundary key={address}>{contentOf(page)}</ErrorBoundary>;
}

function contentOf(page: Page) {
  switch (page.name) {
    case 'services':
      return <ServicesPage />;
    case 'service':
      return <ServicePage namespace={page.namespace} service={page.service} />;
    case 'instances':
      return <InstancesPage />;
    case 'certificates':
      return <CertificatesPage />;
    case 'configuration':
      return <ConfigurationPage />;
    case 'object':
      return <ObjectPage plural={page.plural} namespace={page.namespace} object={page.object} />;
    case 'about':
      return <AboutPage />;
    case 'not-found':
      return <NotFoundPage path={page.path} />;
    default:
      return assertNever(page);
  }
}

function titleOf(page: Page): string {
  switch (page.name) {
    case 'service':
      return page.service;
    case 'object':
      return page.object;
    case 'not-found':
      return 'Not found';
    case 'services':
    case 'instances':
    case 'certificates':
    case 'configuration':
    case 'about':
      return page.name.charAt(0).toUpperCase() + page.name.slice(1);
    default:
      return assertNever(page);
  }
}
