/* Exporting a symbol: these modules export nothing, so the marks only check the name. */
#ifndef __LINUX_EXPORT_H
#define __LINUX_EXPORT_H

#ifdef __DISABLE_EXPORTS
#define EXPORT_SYMBOL(sym)
#define EXPORT_SYMBOL_GPL(sym)
#else
/*
 * TODO(#2): a module that exports symbols to another module needs __ksymtab sections, which are not
 * written yet.
 */
#define EXPORT_SYMBOL(sym) _Static_assert(sizeof(&sym), "EXPORT_SYMBOL of " #sym)
#define EXPORT_SYMBOL_GPL(sym) EXPORT_SYMBOL(sym)
#endif

#define THIS_MODULE (&__this_module)
struct module;
extern struct module __this_module;

#endif
