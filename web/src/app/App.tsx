import { Suspense } from "react";
import { Empty, Loading } from "../ui/States.tsx";
import { Toasts } from "../ui/Toasts.tsx";
import { ErrorBoundary } from "./ErrorBoundary.tsx";
import { Link } from "./Link.tsx";
import { pages } from "./pages.ts";
import { usePath } from "./router.ts";
import { Shell } from "./Shell.tsx";

export function App() {
  const path = usePath();
  const page = pages.find((one) => one.path === path);
  const Content = page?.component;
  return (
    <>
      <Shell>
        <ErrorBoundary key={path}>
          <Suspense fallback={<Loading rows={6} height={28} />}>
            <div className="page">
              {Content ? (
                <Content />
              ) : (
                <Empty icon="search" title="There is no such page" action={<Link href="/">To the overview</Link>} />
              )}
            </div>
          </Suspense>
        </ErrorBoundary>
      </Shell>
      <Toasts />
    </>
  );
}
