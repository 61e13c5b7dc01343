import '@fontsource-variable/inter/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import '@mantine/core/styles.layer.css';
import 'virtual:theme.css';
import './theme/global.css';
import { MantineProvider } from '@mantine/core';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router/dom';
import { Provider } from 'urql';
import { client } from './api/client';
import { router } from './router';
import { theme } from './theme/theme';

// The library's style elements are left out, as the Content-Security-Policy forbids them: theme.css has what they would say.
createRoot(document.getElementById('root')!).render(
  <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
    <Provider value={client}>
      <RouterProvider router={router} />
    </Provider>
  </MantineProvider>,
);
