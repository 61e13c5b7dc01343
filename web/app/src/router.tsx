import { createBrowserRouter } from 'react-router';
import { Broken } from './frame/Broken';
import { Frame } from './frame/Frame';
import { Waiting } from './frame/Waiting';
import { Images } from './pages/Images';

type Page = 'Accounts' | 'Account' | 'Build' | 'Image' | 'NewImage' | 'NotFound' | 'Plan' | 'Settings' | 'Usage';

/** page loads a page's code when it is first gone to. */
const pages = {
  Account: () => import('./pages/Account'),
  Accounts: () => import('./pages/Accounts'),
  Build: () => import('./pages/Build'),
  Image: () => import('./pages/Image'),
  NewImage: () => import('./pages/NewImage'),
  NotFound: () => import('./pages/NotFound'),
  Plan: () => import('./pages/Plan'),
  Settings: () => import('./pages/Settings'),
  Usage: () => import('./pages/Usage'),
} satisfies Record<Page, () => Promise<unknown>>;

const page = (name: Page) => async () => ({ Component: ((await pages[name]()) as Record<Page, React.ComponentType>)[name] });

/** Every address of the app. */
export const router = createBrowserRouter([
  {
    Component: Frame,
    ErrorBoundary: Broken,
    HydrateFallback: Waiting,
    children: [
      {
        ErrorBoundary: Broken,
        children: [
          { path: '/', Component: Images },
          { path: '/new', lazy: page('NewImage') },
          { path: '/images/:name', lazy: page('Image') },
          ...['triggers', 'secrets', 'signals', 'settings'].map((part) => ({ path: `/images/:name/${part}`, lazy: page('Image') })),
          { path: '/builds/:id', lazy: page('Build') },
          { path: '/usage', lazy: page('Usage') },
          { path: '/plan', lazy: page('Plan') },
          { path: '/settings', lazy: page('Settings') },
          { path: '/accounts', lazy: page('Accounts') },
          { path: '/accounts/:login', lazy: page('Account') },
          { path: '*', lazy: page('NotFound') },
        ],
      },
    ],
  },
]);
