"""Words of job titles in English, German, Polish, French and Spanish.

Without accents and capitals, whole words; `*` stands for any letters, so that a stem covers its
feminine forms, cases and compounds. Commas between; `ae`, `oe`, `ue` are read as `a`, `o`, `u`.
"""

# From the first class to the last: the first that has a word in the title is the title's.
SENIORITY = {
    "student": """
        student, students, studentin, werkstudent*, intern, internship, trainee*, praktikant*,
        auszubildende*, azubi, lehrling, praktykant*, stazyst*, uczen, uczennica, etudiant*,
        stagiaire, alternant*, apprenti*, becari*, estudiante, practicante, aprendiz, pasante""",
    "assistant": """
        assistant*, *assistent*, *assistenz, secretary, receptionist, pa, ea, sekretar*, *sekretar,
        *sekretarin, empfangs*, asystent*, recepcjonist*, secretaire, receptionniste, asistent*,
        secretari*, recepcionista, ayudante, auxiliar""",
    "owner": """
        owner, owners, coowner, co owner, founder*, cofounder, co founder, proprietor, entrepreneur,
        self employed, managing partner, founding partner, senior partner, equity partner,
        inhaber*, mitinhaber*, grunder*, mitgrunder*, unternehmer*, gesellschafter*, selbstandig*,
        wlasciciel*, wspolwlasciciel*, zalozyciel*, wspolzalozyciel*, wspolnik, wspolniczka,
        przedsiebiorc*, fondateur, fondatrice, cofondateur, cofondatrice, proprietaire,
        gerant, gerante, associe, associee, dueno, duena, propietari*, fundador*, cofundador*,
        empresari*, socio, socia, autonomo, autonoma""",
    "c_level": """
        c level, c suite, ceo, cfo, cto, cio, coo, cmo, cro, chro, cpo, cso, ciso, cdo, cco, clo,
        chief * officer, chief * * officer, chief * * * officer, chief executive, general manager,
        managing director, president, chair, chairman, chairwoman, chairperson, board, boards,
        geschaftsfuhr*, geschaftsleit*, hauptgeschaftsfuhr*, vorstand*, vorsitzende*,
        generaldirektor*, prezes*, zarzad, zarzadu, dyrektor* generaln*, dyrektor* zarzadzajac*,
        president*, pdg, dg, directeur general, directrice generale, direction generale,
        direct* general, direct* ejecutiv*, gerente general, consejer* delegad*,
        director gerente""",
    "vp": "vp, svp, evp, avp",
    "director": """
        director*, *direktor*, prokurist*, dyrektor*, directeur*, directrice*, drh, daf, dsi""",
    "head": """
        head, chief, *leiter, *leiterin, leitend*, leitung, chef, cheffe, chefin, szef*, naczelni*,
        jefe, jefa""",
    "manager": """
        *manager*, mgr, lead, leader, supervisor, kierowni*, menedzer*, menadzer*, lider*,
        brygadzist*,
        responsable*, gestionnaire*, superviseur*, gerente*, gestor*, encargad*""",
    "specialist": """
        specialist*, engineer*, developer*, programmer, analyst, consultant*, advisor, adviser,
        coordinator, executive, representative*, rep, associate, agent, officer, clerk, buyer,
        accountant, architect*, designer, technician, expert*, administrator*, scientist,
        researcher, recruiter, lawyer, attorney, counsel, auditor*, controller, *planner, writer,
        editor, teacher, professor, scrum master, business partner, employee,
        bookkeeper, operator*, generalist, strategist, marketer, *spezialist*, *ingenieur*,
        *entwickler*, *berater*, *referent*, *sachbearbeiter*, *mitarbeiter*, *koordinator*,
        einkaufer*, disponent*, *verkaufer*, *buchhalter*, *techniker*, *architekt*, jurist*,
        *anwalt, *anwaltin, *kaufmann, *kauffrau, *fachkraft, fachinformatiker*, *vertreter*,
        specjalist*, inzynier*, programist*, analityk, analityczka, konsultant*, doradc*,
        *przedstawiciel*, handlow*, kupiec, ksiegow*, prawnik, prawniczka, radca prawny, technik,
        pracowni*, referent*, badacz*, projektant*, technolog, specialiste, ingenieur*,
        developpeu*, analyste, consultante, conseill*, commercial, commerciale, acheteu*,
        comptable, technicien*, juriste, avocat*, charge*, vendeu*, coordinat*, employe*,
        chercheu*, redacteur, redactrice, especialista, ingenier*, desarrollador*, programador*,
        analista, consultor*, asesor*, comprador*, contable, tecnico, tecnica, abogad*, vendedor*,
        emplead*, investigador*, comercial, coordinador*, administrativ*""",
}

# The class whose word or phrase comes first in the title.
FUNCTION = {
    "sales": """
        sales*, presales, selling, business development, account manag*, account executive*,
        account director, key account*, bdr, sdr, bdm, cro, chief revenue, revenue, e commerce,
        ecommerce, it sales, software sales, technical sales, sales operations, dealer, wholesale,
        retail, verkauf*, *vertrieb*, aussendienst*, innendienst, handelsvertreter*, sprzedaz*,
        sprzedawc*, handlow*, przedstawiciel*, vente, ventes, vendeu*, commercial*, comercial*,
        ventas, vendedor*, charge* d affaires, ingenieur* d affaires, grands comptes""",
    "marketing": """
        marketing*, *marketing, marketer, cmo, brand*, advertising, pr, public relations, seo, sem,
        communication*, content, social media, digital*, demand generation, growth, creative, crm,
        product marketing*, graphic design*, werbung, werbe*, kommunikation*, offentlichkeitsarbeit,
        marketingu, reklam*, komunikacj*, mercadeo, mercadotecnia, comunicacion*, publicidad,
        publicite, marque""",
    "finance": """
        financ*, finans*, finanz*, cfo, daf, account, accounts, accounting, accountant*, accounts
        payable, bookkeep*, audit*, tax, treasur*, controll*, kontrolling*, payroll accountant,
        investor relations, *buchhalt*, buchfuhrung, rechnungswesen, steuer*, revision, ksiegow*,
        podatk*, skarbni*, comptab*, tresor*, controle de gestion, controleu* de gestion, fiscal*,
        contab*, contable*, tesorer*, cost""",
    "it": """
        it, ict, cto, cio, ciso, cdo, data, database, system*, network*, technology, technologies,
        tech, information, infrastructure, security, cyber*, cloud, digital transformation, edv,
        erp, *informati*, *daten*, netzwerk*, administrator system*, technologi*, bezpieczenstw*,
        dsi, reseau*, securite, donnees, ti, tic, sistemas, tecnologi*, datos, redes, seguridad""",
    "engineering": """
        engineering, engineer*, developer*, development, software, hardware, programm*, devops,
        full stack, fullstack, frontend, backend, architect*, technical, technician*, electrical,
        mechanical, construction*, technic*, technik*, technisch*, techniqu*, *technik,
        *techniker*, *ingenieur*, *entwickl*, konstrukt*, *architekt*, inzynier*, programist*,
        deweloper*, developpe*, logiciel*, bureau d etudes, ingenier*, desarroll*, programador*,
        tecnic*""",
    "operations": """
        operation*, operating, coo, production, manufacturing, plant, supply chain, logistic*,
        warehouse, quality, process owner, facility, facilities, maintenance, transport*, fleet,
        site manager, project manag*, program manag*, pmo, business operations, betrieb*,
        *produktion*, fertigung*, werksleit*, werkleit*, *werk, *logisti*, *lager*, qualitat*,
        instandhaltung, *projekt*, operacyjn*, produkcj*, magazyn*, jakosc*, utrzymani*,
        exploitation, usine, qualite, entrepot, chef* de projet*, chantier, operacion*,
        produccion, planta, fabrica, almacen, calidad, mantenimiento, cadena de suministro,
        proyecto*""",
    "hr": """
        hr, chro, human resources, human capital, people, talent, recruit*, payroll, personnel,
        training, learning, personal, personalabteilung, personalchef*, personalleit*,
        personalmanag*, personalreferent*, personalwesen, personalentwickl*, personaler*,
        rekrutier*, ausbildung, kadr*, plac, zasobow ludzkich, rekrut*, szkolen*, rh, drh,
        ressources humaines, recrutement, formation, paie, rrhh, recursos humanos, seleccion,
        formacion, nominas""",
    "legal": """
        legal, law, lawyer, attorney, counsel, paralegal, compliance, clo, notary, privacy,
        data protection*, recht, rechts*, *anwalt, *anwaltin, jurist*, datenschutz*, prawn*,
        radca, adwokat*, juridiqu*, avocat*, notaire, legales, juridic*, abogad*, notari*""",
    "product": """
        product, products, cpo, product owner, product manag*, product design*, ux, ui, designer,
        design, *produktmanag*, *produkt, produktow*, produktu, produktentwickl*, produit*,
        chef de produit*, cheffe de produit*, producto*, diseno""",
    "support": """
        support, customer success, customer service*, customer care, customer support,
        client service*, customer experience, helpdesk, help desk, service desk, call center,
        technical support, it support, student success, *kundenservice, *kundendienst,
        kundenbetreu*, kundenberat*, *service, obslug*, wsparci*, serwis*, service client*,
        relation client*, assistance technique, atencion al cliente, soporte, servicio al cliente,
        servicio tecnico""",
    "procurement": """
        procurement, purchas*, buyer*, sourcing, buying, vendor manag*, supplier*, it procurement,
        *einkauf*, *beschaffung*, zakup*, kupiec, zaopatrzeni*, dostaw*, achat*, acheteu*,
        approvisionn*, compras, comprador*, aprovisionamiento""",
    "research": """
        r&d, research*, scientist*, scientific, laborator*, lab, innovation*, f&e, forschung*,
        forscher*, labor, wissenschaft*, badan*, badawcz*, badacz*, naukow*, innowacj*, recherche,
        chercheu*, scientifique*, r et d, i&d, i+d, investigacion, investigador*, cientific*,
        innovacion, research and development, research & development""",
    "administration": """
        administrative, administration, administrator, office*, personal assistant, buro*,
        verwaltung*, biura, biuro, biurow*, administracj*, administracyjn*, administratif,
        administrative, administracion, administrativ*""",
}

# Only where no word of FUNCTION stands in the title, in this order.
FALLBACK_FUNCTION = {
    "administration": """
        assistant*, *assistent*, *assistenz, secretary, receptionist, pa, ea, sekretar*, *sekretar,
        *sekretarin, asystent*, recepcjonist*, secretaire, receptionniste, asistent*, secretari*,
        recepcionista""",
    "general_management": """
        ceo, founder*, cofounder, owner, owners, coowner, proprietor, entrepreneur, president*,
        chief executive, managing director, managing partner, general manager, chairman,
        chairwoman, chairperson, chair, board, inhaber*, mitinhaber*, grunder*, mitgrunder*,
        unternehmer*, gesellschafter*, geschaftsfuhr*, geschaftsleit*, hauptgeschaftsfuhr*,
        vorstand*, vorsitzende*, generaldirektor*, *wlasciciel*, *zalozyciel*, wspolnik*,
        przedsiebiorc*, prezes*, wiceprezes*, zarzad, zarzadu, dyrektor* generaln*,
        dyrektor* zarzadzajac*, pdg, dg, fondat*, cofondat*, proprietaire, gerant, gerante,
        direct* general*, direction generale, dueno, duena, propietari*, *fundador*, empresari*,
        socio, socia, direct* ejecutiv*, gerente general, consejer* delegad*, director gerente""",
}

# A title's rank stands before these words, what it is in charge of behind them.
LINKS = """
    of, for, to, the, in, at, der, des, die, fur, im, vom, von, bei, ds, do, dla, w, de, du, d, la,
    le, les, aux, pour, del, para, en"""

# Phrases whose words mislead about the rank, and what they are read as.
RANK_PHRASES = {
    "vp": """
        vice president*, vicepresident*, vizeprasident*, wiceprezes*, assistant vice president,
        senior vice president, executive vice president""",
    "director": """
        assistant director, secretary general, general secretary, secretaire general*,
        secretari* general, generalsekretar*""",
    "manager": """
        assistant manager, assistant * manager, chief of staff, teamleit*, gruppenleit*,
        projektleit*, schichtleit*, filialleit*, bauleit*, chef* de projet*, chef* de produit*""",
    "specialist": """
        product owner, process owner, data owner, system owner, assistant professor,
        associate professor, student advisor, student counselor""",
    "": "student success, student service*, student affairs, student support, student life",
}
